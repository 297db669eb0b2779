package fetch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Client downloads files. The zero value is ready.
type Client struct {
	HTTP    *http.Client          // nil: the default one
	Tries   int                   // of a file that get no further, before it is given up; 0: 6
	Pause   time.Duration         // before the second try, doubled each time; 0: a second
	Stall   time.Duration         // without a byte, after which a try ends, and for short answers; 0: a minute
	Arrived func(bytes int64)     // called with every piece of a file, also of what was there; nil: nobody wants to know
	Retried func(url, why string) // called before another try; nil: likewise
}

// ErrHash says that a file is not the one that was announced.
var ErrHash = errors.New("wrong SHA-256")

// permanent is an error that another try would not change.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// File downloads url to path, unless a file with that SHA-256 is there. What an
// earlier call left in path.part is gone on with, if the server can; a server that
// cannot, or a file that has changed meanwhile, begins anew. The file is at path
// only once its hash is right.
func (c *Client) File(ctx context.Context, url, sha, path string) error {
	if sum, err := HashFile(ctx, path); err == nil && strings.EqualFold(sum, sha) {
		if info, err := os.Stat(path); err == nil {
			c.arrived(info.Size())
		}
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := c.insist(ctx, url, sha, path); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		return fmt.Errorf("download %s: %w", url, err)
	}
	return nil
}

// insist tries until the file is there. A try that got further than all before it
// gives all tries back: a long download may be cut as often as it likes.
func (c *Client) insist(ctx context.Context, url, sha, path string) error {
	first := cmp.Or(c.Pause, time.Second)
	pause, left, furthest, spoilt := first, c.tries(), size(path+".part"), false
	for {
		err := c.try(ctx, url, sha, path)
		if err == nil || ctx.Err() != nil || isPermanent(err) || spoilt && errors.Is(err, ErrHash) {
			return err
		}
		spoilt = spoilt || errors.Is(err, ErrHash)
		left--
		if now := size(path + ".part"); now > furthest {
			pause, left, furthest = first, c.tries(), now
		}
		if left == 0 {
			return err
		}
		if c.Retried != nil {
			c.Retried(url, err.Error())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}

func (c *Client) tries() int {
	if c.Tries < 1 {
		return 6
	}
	return c.Tries
}

func (c *Client) stall() time.Duration { return cmp.Or(c.Stall, time.Minute) }

// size of a file, 0 if it is not there.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func isPermanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}

func (c *Client) arrived(n int64) {
	if c.Arrived != nil {
		c.Arrived(n)
	}
}

// try asks the server once for what is missing.
func (c *Client) try(ctx context.Context, url, sha, path string) error {
	part, err := os.OpenFile(path+".part", os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return permanent{err}
	}
	defer part.Close()
	sum := sha256.New()
	have, err := io.Copy(sum, &patient{ctx, part})
	if err != nil {
		return permanent{err}
	}
	resumed := have > 0
	if have, err = c.receive(ctx, url, part, have, sum); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, sha) {
		// Of a file that was gone on with, the beginning may be of another one.
		if err := errors.Join(part.Truncate(0), part.Close(), os.Remove(path+".part")); err != nil {
			return permanent{err}
		}
		c.arrived(-have)
		err := fmt.Errorf("%w: want %s, found %s of %d bytes", ErrHash, sha, got, have)
		if resumed {
			return err
		}
		return permanent{err}
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return permanent{err}
	}
	if err := os.Rename(path+".part", path); err != nil {
		return permanent{err}
	}
	return nil
}

// receive appends what the server sends to part, which holds have bytes that sum
// has seen, and returns how many there are then.
func (c *Client) receive(ctx context.Context, url string, part *os.File, have int64, sum hash.Hash) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := c.stall()
	stalled := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing arrived for %v", stall)) })
	defer stalled.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return have, permanent{err}
	}
	if have > 0 {
		request.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	}
	answer, err := c.do(request)
	if err != nil {
		return have, because(ctx, err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusPartialContent && have > 0 && strings.HasPrefix(answer.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(have, 10)+"-"):
		c.arrived(have)
	case answer.StatusCode == http.StatusOK, answer.StatusCode == http.StatusPartialContent && have == 0:
		if have, err = 0, part.Truncate(0); err != nil {
			return 0, permanent{err}
		}
		if _, err := part.Seek(0, io.SeekStart); err != nil {
			return 0, permanent{err}
		}
		sum.Reset()
	case answer.StatusCode == http.StatusRequestedRangeNotSatisfiable, answer.StatusCode == http.StatusPartialContent:
		// The file is as long as what is here, or shorter: its hash decides.
		c.arrived(have)
		return have, nil
	case answer.StatusCode == http.StatusTooManyRequests, answer.StatusCode >= 500:
		return have, fmt.Errorf("the server says %s", answer.Status)
	default:
		return have, permanent{fmt.Errorf("the server says %s", answer.Status)}
	}
	before := have
	piece := make([]byte, 256<<10)
	for {
		n, err := answer.Body.Read(piece)
		if n > 0 {
			stalled.Reset(stall)
			sum.Write(piece[:n])
			if _, err := part.Write(piece[:n]); err != nil {
				c.arrived(before - have)
				return have, permanent{err}
			}
			have += int64(n)
			c.arrived(int64(n))
		}
		if err == io.EOF {
			return have, nil
		}
		if err != nil {
			c.arrived(-have) // counted again by the next try
			return have, because(ctx, err)
		}
	}
}

func (c *Client) do(r *http.Request) (*http.Response, error) {
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(r)
}

// because prefers why a context was cancelled to what came of it.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// Size asks how long a file is, bytes; -1: the server does not say.
func (c *Client) Size(ctx context.Context, url string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.stall())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return -1, err
	}
	answer, err := c.do(request)
	if err != nil {
		return -1, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return -1, nil
	}
	return answer.ContentLength, nil
}

// Text downloads a short text.
func (c *Client) Text(ctx context.Context, url string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.stall())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("download %s: the server says %s", url, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("download %s: %w", url, err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("download %s: want at most %d bytes, found more", url, most)
	}
	return text, nil
}

// HashFile returns the SHA-256 of a file, hexadecimal.
func HashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, &patient{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// patient reads until its context ends: files of many gigabytes take minutes.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}
