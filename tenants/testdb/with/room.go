package main

import "syscall"

// memory is a folder that Linux keeps in memory. A test's database is hundreds of small files, which cost a disk a second and
// memory a tenth of one.
const memory = "/dev/shm"

// room is what the servers of several packages side by side fill at most, in bytes, several times over.
const room = 3 << 30

// folder returns where a server that need not survive keeps its files: in memory, or in /tmp where memory has no room.
func folder() string {
	var free syscall.Statfs_t
	if err := syscall.Statfs(memory, &free); err != nil || free.Bavail*uint64(free.Bsize) < room {
		return "/tmp"
	}

	return memory
}
