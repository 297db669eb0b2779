package kapture

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

const (
	blockSize  = 1 << 20 // bytes of text a worker parses at a time
	maxWorkers = 4       // beyond that, reading the file is the limit
	maxLine    = 1 << 26 // bytes; a longer line is no table's, and would fill the memory
)

// blockReader cuts a text file into blocks of whole lines.
type blockReader struct {
	r       io.Reader
	path    string
	carry   []byte // the begun line at the end of the last block
	offset  int64  // of that line in the file
	version string // of the file's first line, "" if it has none
	started bool
	done    bool
}

func newBlockReader(r io.Reader, path string) *blockReader {
	return &blockReader{r: r, path: path}
}

// next reads a block into buf, grown if a line is longer, and returns it; an
// empty block is the end of the file.
func (b *blockReader) next(buf []byte) ([]byte, error) {
	n := copy(buf, b.carry)
	if n < len(b.carry) {
		buf = append(buf[:n], b.carry[n:]...)
		n = len(buf)
	}
	b.carry = b.carry[:0]
	for !b.done {
		if n == len(buf) {
			if n >= maxLine {
				b.carry, b.done = nil, true
				return nil, &InputError{Path: b.path, Byte: b.offset, HasByte: true, Msg: fmt.Sprintf("want lines of at most %d bytes, found a longer one", maxLine)}
			}
			buf = append(buf, make([]byte, max(len(buf), 512))...)
		}
		m, err := io.ReadFull(b.r, buf[n:])
		n += m
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			b.done = true
		default:
			b.carry, b.done = nil, true
			return nil, fileError("read", b.path, err)
		}
		if end := bytes.LastIndexByte(buf[:n], '\n') + 1; end > 0 && !b.done {
			b.carry = append(b.carry, buf[end:n]...)
			b.offset += int64(end)
			return b.start(buf[:end])
		}
	}
	return b.start(buf[:n])
}

// start looks at the first line of the file before its first block is used.
func (b *blockReader) start(block []byte) ([]byte, error) {
	if b.started {
		return block, nil
	}
	b.started = true
	if bytes.HasPrefix(block, []byte(byteOrderMark)) {
		block = block[len(byteOrderMark):]
	}
	v, err := version(block, b.path)
	b.version = v
	return block, err
}

// text is one text file, opened.
type text struct {
	fs.File
	path string // for messages
	size int64
}

// openText opens a file of the dataset; nil without an error if it is absent.
func (d *Dataset) openText(name string) (*text, error) {
	f, size, err := openRegular(d.fsys, name, d.path(name))
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &text{File: f, path: d.path(name), size: size}, nil
}

// blockLen is the buffer that reads a file of the given size.
func blockLen(size int64) int { return int(min(max(size+1, 512), blockSize)) }

// parsed is what a worker made of one block.
type parsed[T any] struct {
	value T
	lines int
	bad   problems
}

// parseBlocks parses a file in blocks, several at a time, and returns the
// results in the order of the file. parse is called with the number of the
// worker, for state that blocks of a worker share. Bad lines are reported with
// their numbers in the file, in its order, whatever the number of workers.
func parseBlocks[T any](br *blockReader, size int64, parse func(worker int, s *scanner) T) ([]T, error) {
	var (
		mu     sync.Mutex
		blocks []parsed[T]
		group  errgroup.Group
	)
	work := func(worker int) error {
		buf := make([]byte, blockLen(size))
		s := &scanner{path: br.path}
		for {
			mu.Lock()
			block, err := br.next(buf)
			slot := len(blocks)
			if err == nil && len(block) > 0 {
				blocks = append(blocks, parsed[T]{})
			}
			mu.Unlock()
			if err != nil || len(block) == 0 {
				return err
			}
			s.rest, s.line, s.bad = block, 0, problems{}
			v := parse(worker, s)
			mu.Lock()
			blocks[slot] = parsed[T]{value: v, lines: s.line, bad: s.bad}
			mu.Unlock()
			buf = block[:cap(block)]
		}
	}
	for worker := range workers(size) {
		group.Go(func() error { return work(worker) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return collect(blocks)
}

// workers is how many blocks of a file are parsed at a time.
func workers(size int64) int {
	return max(1, min(runtime.GOMAXPROCS(0), maxWorkers, int(size/blockSize)))
}

// collect turns line numbers within blocks into those of the file.
func collect[T any](blocks []parsed[T]) ([]T, error) {
	var bad problems
	values := make([]T, len(blocks))
	first := 0
	for i := range blocks {
		for _, e := range blocks[i].bad.list {
			e.Line += first
		}
		bad.merge(&blocks[i].bad)
		first += blocks[i].lines
		values[i] = blocks[i].value
	}
	return values, bad.err()
}
