package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"locbench/bench/record"
)

// Result says how a training ended.
type Result struct {
	Model    string  // the file
	BestStep int     // that the model is of
	BestMAP  float64 // percent; NaN without validation
}

// Run trains, from the start or, if asked to, from the last checkpoint on. When
// ctx ends it saves the last finished step and returns the context's error. It
// may be called once.
func (t *Trainer) Run(ctx context.Context, resume bool) (*Result, error) {
	done, err := t.prepare(resume)
	if err != nil {
		return nil, err
	}
	t.started = time.Now()
	if done == 0 {
		t.rows = []record.TrainingStep{{LearningRate: math.NaN(), Loss: math.NaN(), ValMAP: math.NaN(), ImagesPerS: math.NaN()}}
	} else {
		t.log.Info("resume", "steps", done, "of", t.cfg.Steps)
	}
	late := math.IsNaN(t.rows[len(t.rows)-1].ValMAP)
	if err := t.evaluate(ctx, done); err != nil { // also where it was interrupted
		return nil, t.stopped(ctx, done, err)
	}
	if late && done > 0 && !math.IsNaN(t.rows[len(t.rows)-1].ValMAP) {
		if err := t.save(done); err != nil {
			return nil, err
		}
	}
	defer t.dropNext()
	for step := done; step < t.cfg.Steps; step++ {
		if err := t.one(ctx, step); err != nil {
			return nil, err
		}
	}
	return t.finish(ctx)
}

// one does a step and what is due after it.
func (t *Trainer) one(ctx context.Context, step int) error {
	began := time.Now()
	t.progress.Start(fmt.Sprintf("step %d of %d", step+1, t.cfg.Steps), 2*t.cfg.Sampler.Batch*t.cfg.Accumulate)
	p, err := t.step(ctx, step)
	t.progress.Done()
	if err != nil {
		return t.stopped(ctx, step, err)
	}
	done := step + 1
	spent := time.Since(began).Seconds()
	t.rows = append(t.rows, record.TrainingStep{
		Step: done, Epoch: done * t.cfg.Accumulate / t.sampler.Steps(), Loss: p.loss, ValMAP: math.NaN(),
		LearningRate: t.cfg.rate(step), ImagesPerS: float64(p.images) / spent, Seconds: t.seconds(),
	})
	if p.terms == 0 {
		t.log.Warn("no two images of the batch show the same: nothing was learned", "step", done)
	}
	t.log.Debug("step", "step", done, "loss", p.loss, "images_per_s", float64(p.images)/spent)
	if err := t.evaluate(ctx, done); err != nil {
		return t.stopped(ctx, done, err)
	}
	if done%t.cfg.Checkpoint == 0 || done == t.cfg.Steps {
		return t.save(done)
	}
	if time.Since(t.written) > time.Second {
		return t.writeLog()
	}
	return nil
}

// seconds of training so far.
func (t *Trainer) seconds() float64 { return (t.before + time.Since(t.started)).Seconds() }

// evaluate validates the network after a number of steps, if that is due and
// was not done, and keeps it if it is the best one.
func (t *Trainer) evaluate(ctx context.Context, done int) error {
	due := done%t.cfg.Validation.Every == 0 || done == t.cfg.Steps
	row := &t.rows[len(t.rows)-1]
	if t.val == nil || !due || !math.IsNaN(row.ValMAP) {
		return nil
	}
	mAP, err := t.validate(ctx)
	if err != nil {
		return err
	}
	if !(mAP <= t.best.mAP) { // the first, or better
		if err := t.writeModel(done, mAP, nil); err != nil {
			return err
		}
		t.best = best{done, mAP}
	}
	row.ValMAP, row.Seconds = mAP, t.seconds()
	if done == 0 {
		t.log.Info("validation before training", "mAP", fmt.Sprintf("%.2f", mAP))
	} else {
		t.log.Info("validation", "step", done, "loss", fmt.Sprintf("%.4f", row.Loss), "mAP", fmt.Sprintf("%.2f", mAP),
			"best", fmt.Sprintf("%.2f", t.best.mAP), "images_per_s", fmt.Sprintf("%.3g", row.ImagesPerS))
	}
	return nil
}

// stopped saves the steps that are done where the context has ended: what the
// learner has accumulated of the next one is no part of its state.
func (t *Trainer) stopped(ctx context.Context, done int, err error) error {
	if ctx.Err() == nil || done == 0 {
		return errors.Join(err, t.writeLog())
	}
	if t.savedAt != done {
		if bad := t.save(done); bad != nil {
			return errors.Join(err, bad)
		}
	}
	t.log.Info("saved", "steps", done, "file", t.stateFile())
	return ctx.Err()
}

// writeLog writes log.csv.
func (t *Trainer) writeLog() error {
	t.written = time.Now()
	return record.WriteTraining(LogFile(t.dir), t.rows)
}

// readLog takes over what the log has of the steps that are done: a training
// may have died after its last checkpoint.
func (t *Trainer) readLog(done int) error {
	path := LogFile(t.dir)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := record.ReadTraining(f, path)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Step <= done {
			t.rows = append(t.rows, r)
		}
	}
	if n := len(t.rows); n == 0 || t.rows[n-1].Step != done {
		return &record.FormatError{Path: path, Msg: fmt.Sprintf("want a row for step %d, of the last checkpoint, found none", done)}
	}
	t.before = time.Duration(t.rows[len(t.rows)-1].Seconds * float64(time.Second))
	return nil
}
