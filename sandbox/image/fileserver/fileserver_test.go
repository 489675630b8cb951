package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary behave as the program, in a process of its own.
const asProgram = "FILESERVER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program prepares a run that keeps its keys in folder.
func program(folder string, stepMilliseconds string) (*exec.Cmd, *bytes.Buffer) {
	output := &bytes.Buffer{}
	command := exec.Command(os.Args[0], "FileServer.dll", "create")
	command.Env = []string{asProgram + "=1", "DATA_PATH=" + folder, "FILESERVER_STEP_MILLISECONDS=" + stepMilliseconds}
	command.Stdout, command.Stderr = output, output
	return command, output
}

func TestKeysReachTheFileTogetherAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.txt")
	done := make(chan *exception)
	go func() { done <- createKeys(path, 50*time.Millisecond) }()
	for !exists(path) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	if text, _ := os.ReadFile(path); len(text) != 0 {
		t.Errorf("written too early: %q", text)
	}
	if raised := <-done; raised != nil {
		t.Fatal(raised)
	}
	text, _ := os.ReadFile(path)
	if !regexp.MustCompile(`^([1-9][0-9]{0,4}\n){5}$`).Match(text) {
		t.Errorf("not five keys: %q", text)
	}
}

func TestAnExistingFileAborts(t *testing.T) {
	folder := t.TempDir()
	os.WriteFile(filepath.Join(folder, "keys.txt"), []byte("1\n"), 0o600)
	command, output := program(folder, "0")
	command.Run()
	if status := command.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGABRT {
		t.Errorf("ended otherwise: %v", command.ProcessState)
	}
	for _, line := range []string{
		"Unhandled exception. System.InvalidOperationException: Keys file " + folder + "/keys.txt already exists",
		"   at FileServer.Program.CreateFile() in /src/FileServer/Program.cs:line 60\n",
	} {
		if !strings.Contains(output.String(), line) {
			t.Errorf("%q is not in %q", line, output)
		}
	}
}

func TestAMissingFolderAborts(t *testing.T) {
	command, output := program("/no/such/folder", "0")
	command.Run()
	if !strings.Contains(output.String(), "System.IO.DirectoryNotFoundException") {
		t.Errorf("said otherwise: %q", output)
	}
}

func TestTerminationWhileGeneratingLeavesAnEmptyFile(t *testing.T) {
	folder := t.TempDir()
	command, _ := program(folder, "60000")
	command.Start()
	for !exists(filepath.Join(folder, "keys.txt")) {
		time.Sleep(time.Millisecond)
	}
	command.Process.Signal(syscall.SIGTERM)
	command.Wait()
	if code := command.ProcessState.ExitCode(); code != exitTerminated {
		t.Errorf("ended otherwise: %v", command.ProcessState)
	}
	if text, _ := os.ReadFile(filepath.Join(folder, "keys.txt")); len(text) != 0 {
		t.Errorf("not empty: %q", text)
	}
}

func TestAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.txt")
	os.WriteFile(file, []byte("12\n34\n"), 0o600)
	host, _ := os.Hostname()
	for _, expected := range []struct {
		found  bool
		method string
		path   string
		status int
		body   string
	}{
		{true, "GET", "/", 200, "Hello world from " + host},
		{true, "GET", "/keys", 200, "12\n34\n"},
		{false, "GET", "/", 500, ""},
		{false, "GET", "/keys", 500, ""},
		{true, "GET", "/other", 404, ""},
		{true, "POST", "/keys", 405, ""},
	} {
		server := httptest.NewServer(handler(file, expected.found))
		request, _ := http.NewRequest(expected.method, server.URL+expected.path, nil)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		server.Close()
		if response.StatusCode != expected.status || string(body) != expected.body {
			t.Errorf("%+v was answered %d %q", expected, response.StatusCode, body)
		}
	}
}
