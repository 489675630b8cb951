package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// shutdownPatience is how long requests that are under way may still take after SIGTERM.
const shutdownPatience = 5 * time.Second

// serve answers on port 80 until the process is told to end.
func serve(file string, found bool, terminated <-chan os.Signal) error {
	listener, err := net.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(file, found)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-terminated
		deadline, cancel := context.WithTimeout(context.Background(), shutdownPatience)
		defer cancel()
		server.Shutdown(deadline)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-ended
	return nil
}

// handler knows two paths. Without a file at the start, it answers both with 500 for ever.
func handler(file string, found bool) http.Handler {
	routes := map[string]func() (string, error){
		"/": func() (string, error) {
			name, err := os.Hostname()
			return "Hello world from " + name, err
		},
		"/keys": func() (string, error) {
			text, err := os.ReadFile(file)
			return string(text), err
		},
	}
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		response.Header().Set("Server", "Kestrel")
		text, known := routes[request.URL.Path]
		switch {
		case !known:
			response.WriteHeader(http.StatusNotFound)
		case request.Method != http.MethodGet:
			response.Header().Set("Allow", http.MethodGet)
			response.WriteHeader(http.StatusMethodNotAllowed)
		case !found:
			response.WriteHeader(http.StatusInternalServerError)
		default:
			answer(response, text)
		}
	})
}

func answer(response http.ResponseWriter, text func() (string, error)) {
	body, err := text()
	if err != nil {
		response.WriteHeader(http.StatusInternalServerError)
		return
	}
	// No type and no length are declared: the body comes in chunks.
	response.Header()["Content-Type"] = nil
	response.WriteHeader(http.StatusOK)
	http.NewResponseController(response).Flush()
	response.Write([]byte(body))
}
