// A client on Go's gorilla/websocket and easyjson.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"go_gorilla/message"
)

// What this process has used so far.
type reading struct {
	cpu  time.Duration
	wall time.Time
}

func now() reading {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return reading{time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), time.Now()}
}

// A client of the feed; one buffer serves all its messages.
type client struct {
	connection *websocket.Conn
	buffer     []byte
	progress   int // so that what was decoded is used
}

func (c *client) read() (message.Message, error) {
	var m message.Message
	_, reader, err := c.connection.NextReader()
	if err != nil {
		return m, err
	}
	c.buffer = c.buffer[:0]
	for err == nil {
		if len(c.buffer) == cap(c.buffer) {
			c.buffer = append(c.buffer, 0)[:len(c.buffer)]
		}
		var got int
		got, err = reader.Read(c.buffer[len(c.buffer):cap(c.buffer)])
		c.buffer = c.buffer[:len(c.buffer)+got]
	}
	if err != io.EOF {
		return m, err
	}
	return m, m.UnmarshalJSON(c.buffer)
}

func (c *client) take(wanted int) {
	for taken := 0; taken < wanted; {
		m, err := c.read()
		if err != nil {
			log.Fatal(err)
		}
		for _, n := range m.Container.Notifications {
			c.progress += n.Activity.Progress
			taken++
		}
	}
}

func main() {
	var arguments [3]int
	for i := range arguments {
		if i+1 < len(os.Args) {
			arguments[i], _ = strconv.Atoi(os.Args[i+1])
		}
		if arguments[i] <= 0 {
			log.Fatalf("usage: %s PORT COUNT WARM_UP", os.Args[0])
		}
	}
	port, count, warmUp := arguments[0], arguments[1], arguments[2]
	dialer := websocket.Dialer{ReadBufferSize: 64 * 1024}
	address := fmt.Sprintf("ws://127.0.0.1:%d/:/websockets/notifications?filters=activity", port)
	connection, _, err := dialer.Dial(address, nil)
	if err != nil {
		log.Fatal(err)
	}
	c := client{connection: connection, buffer: make([]byte, 0, 1024)}
	c.take(warmUp)
	begin := now()
	c.take(count)
	end := now()
	if c.progress == 0 {
		log.Fatal("these were not the server's events")
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"program":    "go_gorilla",
		"count":      count,
		"per_second": float64(count) / end.wall.Sub(begin.wall).Seconds(),
		"ns_each":    float64((end.cpu - begin.cpu).Nanoseconds()) / float64(count),
	})
}
