package reports_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium, driven over the pipe form of its DevTools
// protocol: JSON messages that end in a zero byte.
type browser struct {
	to      io.WriteCloser
	from    *bufio.Reader
	session string
	next    int
	events  []event // since the page was opened
}

type event struct {
	Method string
	Params json.RawMessage
}

// shared is the browser of all tests, which take turns: it takes a second to start.
var shared struct {
	once    sync.Once
	browser *browser
	missing string // why there is none
	stop    func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	os.Exit(code)
}

// newBrowser returns a Chromium with one page; the test is skipped where there is none.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the page is not opened in a browser")
	}
	shared.once.Do(func() { startBrowser(t) })
	if shared.missing != "" {
		t.Skip(shared.missing + ": the page is not opened in a browser")
	}
	if shared.browser == nil {
		t.Fatal("the browser did not start")
	}
	return shared.browser
}

// startBrowser starts the shared browser.
func startBrowser(t *testing.T) {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		shared.missing = "no chromium on the PATH"
		return
	}
	profile, err := os.MkdirTemp("", "locbench-browser-")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+profile, "about:blank")
	childRead, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, childWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{childRead, childWrite}
	if err := cmd.Start(); err != nil {
		shared.missing = fmt.Sprintf("chromium does not start here (%v)", err)
		return
	}
	childRead.Close()
	childWrite.Close()
	limit := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() }) // a browser that hangs must not hang the tests
	shared.stop = func() {
		to.Close()
		cmd.Process.Kill()
		cmd.Wait()
		limit.Stop()
		from.Close()
		// Its children go on writing to the profile for a moment.
		for i := 0; os.RemoveAll(profile) != nil && i < 40; i++ {
			time.Sleep(50 * time.Millisecond)
		}
	}
	b := &browser{to: to, from: bufio.NewReaderSize(from, 1<<20)}
	b.attach(t)
	shared.browser = b
}

func (b *browser) attach(t *testing.T) {
	t.Helper()
	var target struct{ TargetID string }
	b.call(t, "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call(t, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		b.call(t, domain+".enable", nil, nil)
	}
}

// call sends a command and waits for its answer; events on the way are kept.
func (b *browser) call(t *testing.T, method string, params, result any) {
	t.Helper()
	b.next++
	message := map[string]any{"id": b.next, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	for {
		reply, err := b.read()
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if reply.ID != b.next {
			continue
		}
		if reply.Error != nil {
			t.Fatalf("%s: %s", method, reply.Error)
		}
		if result != nil {
			if err := json.Unmarshal(reply.Result, result); err != nil {
				t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

type reply struct {
	ID     int
	Result json.RawMessage
	Error  json.RawMessage
}

func (b *browser) read() (reply, error) {
	text, err := b.from.ReadBytes(0)
	if err != nil {
		return reply{}, errors.Join(errors.New("the browser ended"), err)
	}
	text = bytes.TrimSuffix(text, []byte{0})
	var r reply
	var e event
	if err := errors.Join(json.Unmarshal(text, &r), json.Unmarshal(text, &e)); err != nil {
		return r, err
	}
	if e.Method != "" {
		b.events = append(b.events, e)
	}
	return r, nil
}

// open shows a file at a width and waits until it has loaded.
func (b *browser) open(t *testing.T, path string, width int, dark bool) {
	t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.call(t, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	b.call(t, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.openAt(t, path, "")
}

// openAt shows a place of a file, "#place", in a page that is loaded anew.
func (b *browser) openAt(t *testing.T, path, place string) {
	t.Helper()
	b.navigate(t, "about:blank") // else a change of the place alone loads nothing
	b.navigate(t, "file://"+path+place)
}

// navigate opens an address and waits until it has loaded.
func (b *browser) navigate(t *testing.T, url string) {
	t.Helper()
	b.events = nil
	b.call(t, "Page.navigate", map[string]any{"url": url}, nil)
	for !b.seen("Page.loadEventFired") {
		if _, err := b.read(); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *browser) seen(method string) bool {
	for _, e := range b.events {
		if e.Method == method {
			return true
		}
	}
	return false
}

// eval returns the value of a script's last expression.
func (b *browser) eval(t *testing.T, script string, value any) {
	t.Helper()
	var out struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call(t, "Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &out)
	if out.ExceptionDetails != nil {
		t.Fatalf("%s: %s", script, out.ExceptionDetails)
	}
	if err := json.Unmarshal(out.Result.Value, value); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

// shot saves a picture of the page in $LOCBENCH_SHOTS, if that is set.
func (b *browser) shot(t *testing.T, name string, width int) {
	t.Helper()
	dir := os.Getenv("LOCBENCH_SHOTS")
	if dir == "" {
		return
	}
	var height float64
	b.eval(t, "document.documentElement.scrollHeight", &height)
	var out struct{ Data string }
	clip := map[string]any{"x": 0, "y": 0, "width": width, "height": min(height, 16000), "scale": 1}
	b.call(t, "Page.captureScreenshot", map[string]any{"clip": clip, "captureBeyondViewport": true}, &out)
	picture, err := base64.StdEncoding.DecodeString(out.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// complaints lists what a browser should not have to say about a page.
func (b *browser) complaints() []string {
	var out []string
	for _, e := range b.events {
		switch e.Method {
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
			out = append(out, e.Method+": "+string(e.Params))
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &p); err != nil || !strings.HasPrefix(p.Request.URL, "file://") && !strings.HasPrefix(p.Request.URL, "data:") {
				out = append(out, "request to "+p.Request.URL)
			}
		}
	}
	return out
}
