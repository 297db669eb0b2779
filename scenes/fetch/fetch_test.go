package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// payload is what the servers of these tests have to give.
func payload(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// serve starts a server; n counts its answers from 1.
func serve(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) string {
	t.Helper()
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r, int(calls.Add(1))) }))
	t.Cleanup(s.Close)
	return s.URL + "/file"
}

// whole answers as a good server does, with ranges.
func whole(w http.ResponseWriter, r *http.Request, data []byte) {
	http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(data))
}

// cut sends the headers of everything and part of the data, then hangs up.
func cut(w http.ResponseWriter, from int, data []byte, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(data)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(data[from : from+n])
	panic(http.ErrAbortHandler)
}

func rangeOf(r *http.Request) (from int) {
	_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	return from
}

func TestDownload(t *testing.T) {
	data := payload(300_000)
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request, n int)
		want   string // of the error; "": the file arrives
		calls  int    // at least
	}{
		"good": {func(w http.ResponseWriter, r *http.Request, _ int) { whole(w, r, data) }, "", 1},
		"redirect": {func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				http.Redirect(w, r, "/other", http.StatusFound)
				return
			}
			whole(w, r, data)
		}, "", 2},
		"cut again and again": {func(w http.ResponseWriter, r *http.Request, n int) {
			if from := rangeOf(r); n < 5 {
				cut(w, from, data, 50_000)
			}
			whole(w, r, data)
		}, "", 5},
		"no ranges": {func(w http.ResponseWriter, r *http.Request, n int) {
			if n < 3 {
				cut(w, 0, data, 100_000)
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = w.Write(data)
		}, "", 3},
		"another file after the cut": {func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				other := bytes.Clone(data)
				other[0]++
				cut(w, 0, other, 100_000)
			}
			whole(w, r, data)
		}, "", 3},
		"cut more often than tries": {func(w http.ResponseWriter, r *http.Request, n int) {
			if from := rangeOf(r); from+20_000 < len(data) {
				cut(w, from, data, 20_000)
			}
			whole(w, r, data)
		}, "", 15},
		"another file, and cut for ever": {func(w http.ResponseWriter, r *http.Request, n int) {
			other := bytes.Clone(data)
			other[0] = byte(n)
			if from := rangeOf(r); from+100_000 < len(data) {
				cut(w, from, other, 100_000)
			}
			whole(w, r, other)
		}, "wrong SHA-256", 6},
		"busy": {func(w http.ResponseWriter, r *http.Request, n int) {
			if n < 3 {
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
			whole(w, r, data)
		}, "", 3},
		"not there": {func(w http.ResponseWriter, _ *http.Request, _ int) { http.Error(w, "no", http.StatusNotFound) }, "404 Not Found", 1},
		"broken for good": {func(w http.ResponseWriter, _ *http.Request, _ int) {
			http.Error(w, "no", http.StatusInternalServerError)
		}, "500 Internal", 4},
		"wrong file":        {func(w http.ResponseWriter, r *http.Request, _ int) { whole(w, r, data[1:]) }, "wrong SHA-256", 1},
		"shorter than said": {func(w http.ResponseWriter, r *http.Request, n int) { cut(w, 0, data, len(data)-1) }, "unexpected EOF", 4},
		"more than said": {func(w http.ResponseWriter, r *http.Request, _ int) {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)-10))
			_, _ = w.Write(data)
		}, "download ", 1},
		"a range that was not asked for": {func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				cut(w, 0, data, 1000)
			}
			if from := rangeOf(r); from > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from+5, len(data)-1, len(data)))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(data[from+5:])
				return
			}
			whole(w, r, data)
		}, "", 2},
		"silent": {func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				w.Header().Set("Content-Length", fmt.Sprint(len(data)))
				_, _ = w.Write(data[:1000])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return
			}
			whole(w, r, data)
		}, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls, arrived := 0, int64(0)
			url := serve(t, func(w http.ResponseWriter, r *http.Request, n int) { calls = n; c.answer(w, r, n) })
			path := filepath.Join(t.TempDir(), "sub", "file")
			client := &Client{Tries: 6, Pause: time.Millisecond, Stall: 300 * time.Millisecond, Arrived: func(n int64) { arrived += n }}
			err := client.File(t.Context(), url, hexSum(data), path)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), url) {
					t.Errorf("want an error with %q, found %v", c.want, err)
				}
				if _, err := os.Stat(path); err == nil {
					t.Error("a file that is wrong is at its place")
				}
			} else {
				if err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
					t.Errorf("other bytes: %d, %v", len(got), err)
				}
				if arrived != int64(len(data)) {
					t.Errorf("want %d bytes counted, found %d", len(data), arrived)
				}
				if _, err := os.Stat(path + ".part"); err == nil {
					t.Error("the part is still there")
				}
			}
			if calls < c.calls {
				t.Errorf("want %d calls at least, found %d", c.calls, calls)
			}
			if c.want == "" {
				before := calls
				if err := client.File(t.Context(), url, strings.ToUpper(hexSum(data)), path); err != nil || calls != before {
					t.Errorf("a second call asks the server again: %v", err)
				}
			}
		})
	}
}

// TestInterrupted stops a download and goes on with it: the beginning is not sent
// again.
func TestInterrupted(t *testing.T) {
	data := payload(400_000)
	ctx, cancel := context.WithCancel(t.Context())
	var sent atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
		from := rangeOf(r)
		if n == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = w.Write(data[:150_000])
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
			cancel()
			<-r.Context().Done()
			return
		}
		sent.Store(int64(len(data) - from))
		whole(w, r, data)
	})
	path := filepath.Join(t.TempDir(), "file")
	client := &Client{Pause: time.Millisecond}
	if err := client.File(ctx, url, hexSum(data), path); !errors.Is(err, context.Canceled) {
		t.Fatalf("want it cancelled, found %v", err)
	}
	if err := client.File(t.Context(), url, hexSum(data), path); err != nil {
		t.Fatal(err)
	}
	if n := sent.Load(); n != 250_000 {
		t.Errorf("want the 250000 bytes that were missing sent, found %d", n)
	}
}

// entry is a line of an archive.
type entry struct {
	name, link string
	kind       byte
	text       string
	size       int64 // that the header lies about; 0: that of the text
}

func archive(t *testing.T, zip bool, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	var out io.Writer = &b
	var z *gzip.Writer
	if zip {
		z = gzip.NewWriter(&b)
		out = z
	}
	w := tar.NewWriter(out)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		size := int64(len(e.text))
		if e.size > 0 {
			size = e.size
		}
		if err := w.WriteHeader(&tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Size: size, Mode: 0o4777}); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(e.text))
	}
	_ = w.Close() // complains of sizes that are lies
	if z != nil {
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "archive.tar")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnpack(t *testing.T) {
	for _, zip := range []bool{true, false} {
		path := archive(t, zip, entry{name: "scene/", kind: tar.TypeDir}, entry{name: "scene/a b.txt", text: "one"}, entry{name: "./scene/deep/er/ü.jpg", text: "two"},
			entry{name: "scene/link", kind: tar.TypeSymlink, link: "deep/er/ü.jpg"}, entry{name: "scene/hard", kind: tar.TypeLink, link: "scene/a b.txt"},
			entry{name: "scene/a b.txt", text: "three"})
		dir := t.TempDir()
		files, err := Unpack(t.Context(), path, dir, LimitsOf(1000))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 4 || files[0].Path != "scene/a b.txt" || files[0].SHA256 != hexSum([]byte("three")) || files[2].SHA256 != "" {
			t.Errorf("found %+v", files)
		}
		for name, want := range map[string]string{"scene/a b.txt": "three", "scene/link": "two", "scene/hard": "one"} {
			if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
				t.Errorf("%s: want %q, found %q, %v", name, want, got, err)
			}
		}
		if info, err := os.Stat(filepath.Join(dir, "scene/a b.txt")); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("want the mode 0644, found %v, %v", info.Mode(), err)
		}
	}
}

// TestUnpackRefuses tries to get out of the folder in every way.
func TestUnpackRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		entries []entry
		want    string
	}{
		"up":                  {[]entry{{name: "../evil", text: "x"}}, "want a name inside the folder"},
		"up and down":         {[]entry{{name: "a/../../evil", text: "x"}}, "want a name inside the folder"},
		"absolute":            {[]entry{{name: "/tmp/evil", text: "x"}}, "want a name inside the folder"},
		"backslash":           {[]entry{{name: `a\..\..\evil`, text: "x"}}, "want a name inside the folder"},
		"drive":               {[]entry{{name: "C:evil", text: "x"}}, "want a name inside the folder"},
		"link out":            {[]entry{{name: "l", kind: tar.TypeSymlink, link: "../.."}}, "want a link inside the folder"},
		"absolute link":       {[]entry{{name: "l", kind: tar.TypeSymlink, link: "/etc"}}, "want a link inside the folder"},
		"hard link out":       {[]entry{{name: "l", kind: tar.TypeLink, link: "../../etc/passwd"}}, "want a link inside the folder"},
		"link out in steps":   {[]entry{{name: "a/b", kind: tar.TypeSymlink, link: ".."}, {name: "a/b/c", kind: tar.TypeSymlink, link: ".."}, {name: "a/b/c/evil", text: "x"}}, ""},
		"through a link":      {[]entry{{name: "a", kind: tar.TypeDir}, {name: "a/b", kind: tar.TypeSymlink, link: "."}, {name: "a/b/c", text: "x"}}, "found a link"},
		"a link for a folder": {[]entry{{name: "a/b", kind: tar.TypeDir}, {name: "a/b", kind: tar.TypeSymlink, link: ".."}, {name: "a/b/c", text: "x"}}, "found a link"},
		"new line":            {[]entry{{name: "a\nb", text: "x"}}, "want a name inside the folder"},
		"device":              {[]entry{{name: "d", kind: tar.TypeChar}}, "found a device"},
		"pipe":                {[]entry{{name: "p", kind: tar.TypeFifo}}, "found a device"},
		"too large":           {[]entry{{name: "big", text: strings.Repeat("0", 2000)}}, "want at most 1000 bytes"},
		"too many":            {[]entry{{name: "1"}, {name: "2"}, {name: "3"}, {name: "4"}}, "want at most 3 entries"},
		"cut":                 {[]entry{{name: "cut", text: "x", size: 900}}, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			above := t.TempDir()
			dir := filepath.Join(above, "in", "here")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			_, err := Unpack(t.Context(), archive(t, true, c.entries...), dir, Limits{Bytes: 1000, Entries: 3})
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "archive.tar")) {
				t.Errorf("want an error with %q, found %v", c.want, err)
			}
			if c.want == "" && err == nil {
				t.Error("want an error, found none")
			}
			for _, out := range []string{above, filepath.Join(above, "in")} {
				if entries, _ := os.ReadDir(out); len(entries) != 1 {
					t.Errorf("something got out: %v", entries)
				}
			}
		})
	}
}

// TestBomb unpacks zeros that hardly take room: stopped at the limit.
func TestBomb(t *testing.T) {
	path := archive(t, true, entry{name: "bomb", text: strings.Repeat("\x00", 20<<20)})
	info, err := os.Stat(path)
	if err != nil || info.Size() > 100_000 {
		t.Fatalf("want a small archive, found %d bytes, %v", info.Size(), err)
	}
	dir := t.TempDir()
	if _, err := Unpack(t.Context(), path, dir, Limits{Bytes: 100 * info.Size(), Entries: 10}); err == nil || !strings.Contains(err.Error(), "bytes in all, found more") {
		t.Errorf("found %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("the bomb is there: %v", entries)
	}
}

// TestLinksStayPlain: a link is made without the detours of its target, which another
// link could bend.
func TestLinksStayPlain(t *testing.T) {
	dir := t.TempDir()
	files, err := Unpack(t.Context(), archive(t, true, entry{name: "p/q/r/b", kind: tar.TypeSymlink, link: "../../.."}, entry{name: "p/q/r/a", kind: tar.TypeSymlink, link: "b/../x"}), dir, LimitsOf(1))
	if err != nil || len(files) != 2 {
		t.Fatalf("found %v, %v", files, err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "p", "q", "r", "a")); err != nil || target != "x" {
		t.Errorf("want the target x, found %q, %v", target, err)
	}
}

// TestShortAnswersEnd: a server that says nothing holds up neither the sizes nor the
// texts.
func TestShortAnswersEnd(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() })
	c := &Client{Stall: 50 * time.Millisecond}
	if _, err := c.Size(t.Context(), url); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("size: %v", err)
	}
	if _, err := c.Text(t.Context(), url, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("text: %v", err)
	}
}
