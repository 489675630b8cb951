package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"
)

const keyCount = 5

// createKeys creates the file at once, empty, and draws a key after each step. The lines wait in
// a buffer and reach the file together at the end.
func createKeys(path string, step time.Duration) *exception {
	if exists(path) {
		return &exception{
			"System.InvalidOperationException",
			"Keys file " + path + " already exists and create param was passed. " +
				"Please use only dotnet FileServer.dll without create param if file already exists.",
		}
	}
	fmt.Println("Creating keys file " + path)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fileException(path, err)
	}
	defer file.Close()

	buffer := bufio.NewWriter(file)
	for number := 1; number <= keyCount; number++ {
		time.Sleep(step)
		key := 1 + rand.IntN(14999)
		fmt.Fprintln(buffer, key)
		fmt.Printf("Generated key %d: value is %d\n", number, key)
	}
	if err := buffer.Flush(); err != nil {
		return fileException(path, err)
	}
	return nil
}

func exists(path string) bool {
	information, err := os.Stat(path)
	return err == nil && !information.IsDir()
}

func fileException(path string, err error) *exception {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &exception{"System.IO.DirectoryNotFoundException", "Could not find a part of the path '" + path + "'."}
	case errors.Is(err, fs.ErrPermission):
		return &exception{"System.UnauthorizedAccessException", "Access to the path '" + path + "' is denied."}
	default:
		return &exception{"System.IO.IOException", err.Error() + " : '" + path + "'"}
	}
}
