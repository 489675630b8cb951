// Command dotnet stands in for the .NET runtime of the image that the exercise deploys. It knows
// one program only, FileServer.dll, and behaves as that program does: texts, files, signals and
// HTTP answers are the same; the code is not.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// exitTerminated is the status of a .NET program that SIGTERM ends before it handles signals.
const exitTerminated = 128 + int(syscall.SIGTERM)

func main() {
	if len(os.Args) < 2 || filepath.Base(os.Args[1]) != "FileServer.dll" {
		fmt.Fprintln(os.Stderr, "This stand-in for dotnet runs FileServer.dll and nothing else.")
		os.Exit(1)
	}
	create := len(os.Args) > 2 && os.Args[2] == "create"

	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGINT, syscall.SIGTERM)

	dataPath, ok := os.LookupEnv("DATA_PATH")
	if !ok {
		abort(exception{"System.ArgumentNullException", "Value cannot be null. (Parameter 'path1')"}, create)
	}
	file := filepath.Join(dataPath, "keys.txt")

	// Looked at once, at the start: a file that appears later is not noticed.
	found := exists(file)
	if create {
		ended := make(chan struct{})
		go func() {
			// What is still in the buffer is lost, as it is there.
			select {
			case <-terminated:
				os.Exit(exitTerminated)
			case <-ended:
			}
		}()
		if raised := createKeys(file, stepFromEnvironment()); raised != nil {
			abort(*raised, create)
		}
		close(ended)
		found = true
	}

	fmt.Println("Starting API Host.")
	if err := serve(file, found, terminated); err != nil {
		abort(exception{"System.IO.IOException", "Failed to bind to address http://[::]:80: " + err.Error() + "."}, false)
	}
}

// stepFromEnvironment is how long one key takes: five seconds, unless a test is in a hurry.
func stepFromEnvironment() time.Duration {
	var milliseconds uint32
	if _, err := fmt.Sscan(os.Getenv("FILESERVER_STEP_MILLISECONDS"), &milliseconds); err != nil {
		return 5 * time.Second
	}
	return time.Duration(milliseconds) * time.Millisecond
}
