// An echo of datagrams on gnet, one event loop. It hears the words of the benchmark (bench/suite/words.ts)
// on standard input and answers with JSON, a line each.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
)

const bufferBytes = 4 << 20

type echo struct {
	gnet.BuiltinEventEngine
	echoed atomic.Int64
	booted chan struct{}
}

func (e *echo) OnBoot(gnet.Engine) gnet.Action {
	close(e.booted)
	return gnet.None
}

func (e *echo) OnTraffic(c gnet.Conn) gnet.Action {
	datagram, _ := c.Next(-1)
	if _, err := c.Write(datagram); err == nil {
		e.echoed.Add(1)
	}
	return gnet.None
}

// gnet logs to standard output, which is for answers; what ends it is told by Run's error.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

func main() {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	flag.Int("flows", 1, "said to every server")
	flag.Parse()
	port, err := freePort(*host)
	if err != nil {
		fail(err)
	}
	server := &echo{booted: make(chan struct{})}
	go func() {
		fail(gnet.Run(server, fmt.Sprintf("udp://%s:%d", *host, port),
			gnet.WithMulticore(false),
			gnet.WithLogger(quiet{}),
			gnet.WithSocketRecvBuffer(bufferBytes),
			gnet.WithSocketSendBuffer(bufferBytes)))
	}()
	<-server.booted
	tell(map[string]any{"ready": fmt.Sprintf("%s:%d", *host, port)})
	words := bufio.NewScanner(os.Stdin)
	for words.Scan() {
		switch words.Text() {
		case "mark", "pause":
			tell(server.mark())
		case "stop":
			return
		}
	}
}

func (e *echo) mark() map[string]any {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return map[string]any{
		"cpuNs":         usage.Utime.Nano() + usage.Stime.Nano(),
		"wallNs":        time.Since(started).Nanoseconds(),
		"echoed":        e.echoed.Load(),
		"residentBytes": residentBytes(),
	}
}

var started = time.Now()

// gnet does not tell which port the system chose, so one is chosen before.
func freePort(host string) (int, error) {
	socket, err := net.ListenPacket("udp4", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	defer socket.Close()
	return socket.LocalAddr().(*net.UDPAddr).Port, nil
}

// 0 where the system does not tell.
func residentBytes() int64 {
	text, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

func tell(object map[string]any) {
	line, _ := json.Marshal(object)
	fmt.Println(string(line))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gnet-echo:", err)
	os.Exit(1)
}
