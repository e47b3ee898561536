// Package imports takes a business's own list of customers in, and gives it out again: CSV as spreadsheets write it, in either
// direction a row at a time, so that a list of any length needs the same memory.
//
// A list goes through steps that a person starts and can look at: its rows are stored as they came (Start), its columns are
// named (Map), every row is judged without changing anything (a trial), the list is taken in (Run), and can be taken back (Undo).
// The Worker does the long ones, a batch and its progress in one transaction, so that a process that dies costs nothing and no
// row counts twice. Whoever watches can end a step after its present batch (Stop), and have what was done taken back or the rest done.
//
// What a list says is a claim, never proof: a phone makes somebody known, a WhatsApp ID beside a phone only suggests (identity). An ID
// by itself beside what the business's own system calls the customer joins nobody, but answers who it is: an open case about it ends.
//
// How long a list takes is in README.md.
package imports
