package tenants

import "runtime"

// room is memory that is reserved and never touched, so the machine gives none of it.
var room []byte

// LeaveRoom lets Go's collector wait until some thirty megabytes are garbage. What lives in a worker or a web server is a few megabytes while
// it takes in or resolves thousands of events a second, and by itself the collector would run each time as much again was used up. Where much
// lives it changes little: unlike a higher GOGC it does not multiply that.
func LeaveRoom() {
	room = make([]byte, 24<<20)
	runtime.KeepAlive(room)
}
