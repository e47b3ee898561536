package postgres

import "syscall"

// attributes keep Ctrl-C, which goes to the whole foreground group, from
// reaching the server before our own shutdown, and end it when we are killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
}
