//go:build unix && !linux

package postgres

import "syscall"

// attributes keep Ctrl-C, which goes to the whole foreground group, from
// reaching the server before our own shutdown. A server whose owner was killed
// is ended by the next start.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
