package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"locbench/bench/record"
	"locbench/retrieval/backend"
)

// stage is one step of a run.
type stage struct {
	name string
	// key is the hash of everything that the outputs depend on. It is asked for
	// after the earlier stages are done, so it may hash their outputs.
	key func(ctx context.Context) (string, error)
	// run writes the outputs and returns their paths, relative to the run directory.
	run func(ctx context.Context) (outputs []string, err error)
	// feature is what the stage works on, "" for all; feeds says that the later
	// stages of the feature read what this one writes. With cost, a rough
	// estimate, they serve the dry run.
	feature string
	feeds   bool
	cost    cost
	// work says what the stage has worked on, after it ran; nil: nothing to count.
	work func() (n int, of string)
}

// cost is what a stage is expected to take.
type cost struct {
	seconds float64
	bytes   int64
}

// stageRecord says that a stage is done; its file is written last.
type stageRecord struct {
	Name    string        `json:"name"`
	Key     string        `json:"key"`
	Seconds float64       `json:"seconds"`
	DoneAt  time.Time     `json:"done_at"`
	Outputs []stageOutput `json:"outputs"`
	record.StageFigures
}

type stageOutput struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// runner does stages in a run directory.
type runner struct {
	dir    string
	force  bool
	log    *slog.Logger
	hashes *fileHashes
}

// stageDone is what became of a stage.
type stageDone struct {
	record  stageRecord
	skipped bool
}

// do runs the stage unless it is done already.
func (r *runner) do(ctx context.Context, s stage) (stageDone, error) {
	key, err := s.key(ctx)
	if err != nil {
		return stageDone{}, fmt.Errorf("stage %s: %w", s.name, err)
	}
	old, known := r.read(s.name)
	if known && !r.force && old.Key == key && r.intact(old) {
		r.log.Info("stage already done", "stage", s.name)
		return stageDone{record: old, skipped: true}, nil
	}
	// From here on the stage is not done, whatever happens, and the manifest of
	// an earlier call does not describe the files.
	for _, path := range []string{filepath.Join(r.dir, record.ManifestFile), r.recordPath(s.name)} {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return stageDone{}, err
		}
	}
	start := time.Now()
	outputs, err := s.run(ctx)
	if err != nil {
		return stageDone{}, fmt.Errorf("stage %s: %w", s.name, err)
	}
	rec := stageRecord{Name: s.name, Key: key, Seconds: time.Since(start).Seconds(), DoneAt: time.Now()}
	if s.work != nil {
		rec.Items, rec.Of = s.work()
	}
	rec.PeakMemory = backend.PeakMemory()
	for _, path := range outputs {
		sum, err := r.hashes.file(filepath.Join(r.dir, path))
		if err != nil {
			return stageDone{}, fmt.Errorf("stage %s: %w", s.name, err)
		}
		if info, err := os.Stat(filepath.Join(r.dir, path)); err == nil {
			rec.Bytes += info.Size()
		}
		rec.Outputs = append(rec.Outputs, stageOutput{Path: path, SHA256: sum})
	}
	if err := r.dropStale(old, outputs); err != nil {
		return stageDone{}, fmt.Errorf("stage %s: %w", s.name, err)
	}
	r.log.Info("stage done", "stage", s.name, "seconds", fmt.Sprintf("%.2f", rec.Seconds))
	return stageDone{record: rec}, r.write(rec)
}

// isDone reports whether the stage would be skipped: for the dry run.
func (r *runner) isDone(ctx context.Context, s stage) bool {
	old, known := r.read(s.name)
	if !known || r.force {
		return false
	}
	key, err := s.key(ctx)
	return err == nil && old.Key == key && r.intact(old)
}

// intact reports whether every output is there as it was written.
func (r *runner) intact(rec stageRecord) bool {
	for _, out := range rec.Outputs {
		sum, err := r.hashes.file(filepath.Join(r.dir, out.Path))
		if err != nil || sum != out.SHA256 {
			return false
		}
	}
	return true
}

// dropStale removes what an earlier run of the stage wrote and this one did
// not, so that the run directory holds no results of other options.
func (r *runner) dropStale(old stageRecord, outputs []string) error {
	for _, out := range old.Outputs {
		if slices.Contains(outputs, out.Path) || !filepath.IsLocal(out.Path) {
			continue
		}
		if err := os.Remove(filepath.Join(r.dir, out.Path)); err != nil && !os.IsNotExist(err) {
			return err
		}
		r.dropEmptyParents(filepath.Dir(out.Path))
	}
	return nil
}

func (r *runner) dropEmptyParents(rel string) {
	for rel != "." && os.Remove(filepath.Join(r.dir, rel)) == nil {
		rel = filepath.Dir(rel)
	}
}

func (r *runner) read(name string) (stageRecord, bool) {
	data, err := os.ReadFile(r.recordPath(name))
	if err != nil {
		return stageRecord{}, false
	}
	var rec stageRecord
	if json.Unmarshal(data, &rec) != nil || rec.Name != name {
		return stageRecord{}, false
	}
	return rec, true
}

func (r *runner) write(rec stageRecord) error {
	data, err := json.MarshalIndent(rec, "", " ")
	if err != nil {
		return err
	}
	return record.WriteFile(r.recordPath(rec.Name), func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

// recordPath is a file name for any stage name: readable, and distinct through
// a piece of the name's hash.
func (r *runner) recordPath(name string) string {
	readable := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, name)
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(r.dir, stateDir, "stages", readable[:min(len(readable), 80)]+"-"+hex.EncodeToString(sum[:4])+".json")
}
