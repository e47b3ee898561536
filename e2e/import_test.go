package e2e_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/imports"
)

// takeLists runs a worker of imports until stop.
func (st *site) takeLists(t *testing.T) (stop func()) {
	t.Helper()

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = imports.NewWorker(st.DB, st.keys, slog.New(slog.NewTextHandler(io.Discard, nil))).Run(ctx)
	}()

	return func() {
		cancel()
		<-ended
	}
}

// upload leaves lists of customers at the steps that have pages of their own.
func (w *world) upload(t *testing.T) {
	t.Helper()

	defer w.takeLists(t)()

	const list = "Name,Mobile,WhatsApp ID,Customer ID\nAsha Verma,98123 45601,,C-1\nसुमन देवी,9.19E+11,,C-2\nRavi Kumar,,IN.12,C-3\nRavi,,IN.12,C-4\n"
	for _, last := range []string{imports.Unmapped, imports.Checked, imports.Stopped, imports.Done, imports.Undone} {
		var i imports.Import
		do := func(fn func(*tenants.Tx) error) { w.as(t, w.clinic, fn) }
		until := func(state string) bool {
			for deadline := time.Now().Add(time.Minute); i.State != state; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("import stays %s, want %s", i.State, state)
				}
				do(func(tx *tenants.Tx) (err error) {
					i, err = imports.Get(t.Context(), tx, i.ID)
					return err
				})
			}

			return state == last
		}
		do(func(tx *tenants.Tx) (err error) {
			i, err = imports.Start(t.Context(), tx, w.meera, "customers "+last, strings.NewReader(list))
			return err
		})
		w.lists = append(w.lists, "/contacts/import/"+i.ID.String())
		if until(imports.Unmapped) {
			continue
		}
		do(func(tx *tenants.Tx) error { return imports.Map(t.Context(), tx, w.meera, i.ID, i.Mapping, "") })
		if until(imports.Checked) {
			w.lists = append(w.lists, "/contacts/import/"+i.ID.String()+"?columns=1")
			continue
		}
		do(func(tx *tenants.Tx) error {
			if err := imports.Run(t.Context(), tx, w.meera, i.ID); err != nil || last != imports.Stopped {
				return err
			}
			return imports.Stop(t.Context(), tx, w.meera, i.ID)
		})
		if last == imports.Stopped {
			continue
		}
		if until(imports.Done) {
			w.lists = append(w.lists, "/contacts/import/"+i.ID.String()+"?undo=1")
			continue
		}
		do(func(tx *tenants.Tx) error { return imports.Undo(t.Context(), tx, w.meera, i.ID) })
		until(imports.Undone)
	}
}

// dirtyList is what a shop has: its own column names, both scripts, a number the spreadsheet has spoilt, one customer twice, and one of
// whom only the WhatsApp ID is known.
const dirtyList = "Customer,Mob. No.,WA ID,Consumer\r\n" +
	"Savita Joshi,98260 45601,,BPL-0071\r\n" +
	"सुमित्रा देवी,०९८२६०४५६०२,,BPL-0072\r\n" +
	"Spoilt,9.83E+11,,BPL-0073\r\n" +
	"Savita again,+91 98260-45601,,BPL-0074\r\n" +
	"Only an ID,,IN.5550004441112223,BPL-0075\r\n"

// A list of one's own is uploaded as a file, its columns named, tried, taken in and taken back.
func TestListInAndBack(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	t.Cleanup(st.takeLists(t))
	b := st.tab(t, wide)
	b.signIn("Asha")
	b.open("/contacts")
	b.takeList(t, "en", func() {})
}

// The same on a phone in Hindi.
func TestListInAndBackOnAPhone(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	t.Cleanup(st.takeLists(t))
	b := st.tab(t, phone)
	b.signIn("Asha")
	b.speak("hi")
	b.takeList(t, "hi", b.fits)
}

func (b *tab) takeList(t *testing.T, lang string, look func()) {
	t.Helper()

	b.open("/contacts/import")
	look()
	list := b.uploads("ग्राहक 2026.csv", dirtyList)
	look()
	for i, use := range []string{"name", "phone", "bsuid", "external"} {
		b.choose(fmt.Sprint("field-column-", i), use)
	}
	b.submit("try")
	b.list("checked")
	look()
	b.counts(3, 0, 0, 2)
	b.see("problems")
	problems := eval[string](b, `fetch(`+find("download-problems")+`.href).then(r => r.text())`)
	for _, want := range []string{"Spoilt,9.83E+11,,BPL-0073,4,", "Savita again", "5,"} {
		if !strings.Contains(problems, want) {
			t.Errorf("the file of problems lacks %q:\n%s", want, problems)
		}
	}
	b.open("/contacts?q=BPL-0072")
	b.when("nobody has come of the trial", `!document.querySelector("[data-testid=contacts]")?.innerText.includes("सुमित्रा")`)

	b.open(list)
	b.submit("run")
	b.list("done")
	look()
	b.counts(3, 0, 0, 2)
	b.open("/contacts?q=BPL-0072")
	b.see("contacts>सुमित्रा देवी")
	look()

	b.open(list)
	b.submit("ask-undo")
	b.see("undo-import")
	look()
	b.submit("undo")
	b.list("undone")
	look()
	if got := eval[string](b, `document.documentElement.lang`); got != lang {
		t.Errorf("the last page speaks %q, want %q", got, lang)
	}
	b.open("/contacts?q=BPL-0072")
	b.when("nobody is left", `!document.querySelector("[data-testid=contacts]")?.innerText.includes("सुमित्रा")`)
	b.open(list)
	b.submit("discard")
	b.at("/contacts/import")
}

// uploads sends a list as a file, and returns its address.
func (b *tab) uploads(name, list string) string {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.SetUploadFiles(`[data-testid="field-file"]`, []string{file}))
	b.submit("send-list")
	b.at("/contacts/import/*")
	b.see("columns")

	return b.path()
}

// A list that is cancelled half way says how far it came, and that part is taken back.
func TestListCancelled(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	t.Cleanup(st.takeLists(t))
	b := st.tab(t, wide)
	b.signIn("Asha")
	b.open("/contacts/import")
	var long strings.Builder
	long.WriteString("Name,Phone\n")
	for n := range 8000 {
		fmt.Fprintf(&long, "Customer %d,+9198%08d\n", n, n)
	}
	b.uploads("long.csv", long.String())
	b.submit("try")
	b.list("checked")
	b.submit("run")
	b.click("stop")
	b.list("stopped")
	b.see("stopped-at", "run")
	taken := b.text("n-new")
	b.submit("ask-undo")
	b.submit("undo")
	b.list("undone")
	if gone := b.text("undone"); taken == "0" || !slices.Contains(strings.Fields(gone), strings.Fields(taken)[0]) {
		t.Errorf("%q taken back, want all of %q", gone, taken)
	}
}

// list waits until the page of a list, which follows the work by itself, shows a state.
func (b *tab) list(state string) {
	b.t.Helper()
	b.when("the list is "+state, find("import")+`?.dataset.state === `+quote(state))
}

func (b *tab) counts(added, changed, conflict, skipped int) {
	b.t.Helper()
	for id, want := range map[string]int{"n-new": added, "n-changed": changed, "n-conflict": conflict, "n-skipped": skipped} {
		b.says(id, fmt.Sprint(want))
	}
}
