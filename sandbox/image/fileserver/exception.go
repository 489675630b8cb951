package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// exception is an error that nothing catches.
type exception struct {
	kind    string
	message string
}

// exitAborted is the status that a shell reports for a program ended by SIGABRT.
const exitAborted = 128 + int(syscall.SIGABRT)

// abort reports an exception and ends the process by SIGABRT, so that a shell around it sees an
// aborted program and not one that exited.
func abort(raised exception, creating bool) {
	fmt.Fprintf(os.Stderr, "Unhandled exception. %s: %s\n", raised.kind, raised.message)
	if creating {
		fmt.Fprintln(os.Stderr, "   at FileServer.Program.CreateFile() in /src/FileServer/Program.cs:line 60")
		fmt.Fprintln(os.Stderr, "   at FileServer.Program.Main(String[] args) in /src/FileServer/Program.cs:line 22")
	} else {
		fmt.Fprintln(os.Stderr, "   at FileServer.Program.Main(String[] args) in /src/FileServer/Program.cs:line 26")
	}
	fmt.Fprintln(os.Stderr, "   at FileServer.Program.<Main>(String[] args)")

	restoreDefaultAction(syscall.SIGABRT)
	syscall.Kill(os.Getpid(), syscall.SIGABRT)
	// The kernel spares process 1 of a container; it has to go by itself.
	time.Sleep(100 * time.Millisecond)
	os.Exit(exitAborted)
}

// restoreDefaultAction takes a signal back from Go's runtime, which would answer SIGABRT with a
// dump of its own and exit status 2.
func restoreDefaultAction(number syscall.Signal) {
	var action struct {
		handler, flags, restorer, mask uintptr
	}
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(number), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}
