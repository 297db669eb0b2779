package scenes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"locbench/scenes/fetch"
)

// InstallOptions say how data is installed.
type InstallOptions struct {
	DataRoot string   // see [DataRoot]
	Index    string   // URL or file; "": [KaptureIndex]
	Only     []string // patterns of archives; nil: all of the card
	Keep     bool     // keep the archives
	Parallel int      // downloads at a time; 0: 4
	// Accept shows a licence and returns whether it is accepted.
	Accept func(what, text string) (bool, error)
	Client *fetch.Client
	Log    *slog.Logger
	// Start, Add and Done show the bytes that arrive; see bench.Progress.
	Progress interface {
		Start(name string, total int)
		Add(n int)
		Done()
	}
	Free func(dir string) int64 // see fetch.Free, which nil stands for
}

// LicenceError says that a licence was not accepted.
type LicenceError struct{ What string }

func (e *LicenceError) Error() string { return "the licence of " + e.What + " was not accepted" }

// SpaceError says that the disk has too little room.
type SpaceError struct {
	Dir        string
	Need, Free int64 // bytes
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("want %.1f GB of free disk in %s, found %.1f GB", float64(e.Need)/1e9, e.Dir, float64(e.Free)/1e9)
}

// Installed counts what an installation did.
type Installed struct {
	Archives []string // that were installed now
	Before   []string // that were there
	Files    int      // of those installed now
}

// Install downloads the archives of a known scene and unpacks them below the data
// root. What is there is left alone; what an earlier call did not finish is gone on
// with.
func Install(ctx context.Context, card *Card, o InstallOptions) (Installed, error) {
	i := &installation{o: o, card: card, done: Installed{}}
	if err := i.defaults(); err != nil {
		return i.done, err
	}
	release, err := i.alone()
	if err != nil {
		return i.done, err
	}
	defer release()
	todo, index, err := i.resolve(ctx)
	if err != nil || len(todo) == 0 {
		return i.done, err
	}
	if err := i.accept(ctx, todo, index); err != nil {
		return i.done, err
	}
	total, err := i.room(ctx, todo, index)
	if err != nil {
		return i.done, err
	}
	return i.done, i.fetch(ctx, todo, index, total)
}

// installation is the work of one Install.
type installation struct {
	o     InstallOptions
	card  *Card
	mutex sync.Mutex // over done and the state files
	done  Installed
}

func (i *installation) defaults() error {
	if len(i.card.Archives) == 0 {
		return fmt.Errorf("%s: want a scene with archives in a dataset index, found none; get it by hand: %s", i.card.Name, i.card.HowToGet(i.card.Folder(i.o.DataRoot)))
	}
	if i.o.Index == "" {
		i.o.Index = KaptureIndex
	}
	if i.o.Parallel < 1 {
		i.o.Parallel = 4
	}
	if i.o.Client == nil {
		i.o.Client = &fetch.Client{}
	}
	if i.o.Log == nil {
		i.o.Log = slog.New(slog.DiscardHandler)
	}
	if i.o.Free == nil {
		i.o.Free = fetch.Free
	}
	return os.MkdirAll(filepath.Join(i.o.DataRoot, installState), 0o777)
}

// alone keeps other processes from installing into the same data root, and removes
// what one that was killed had unpacked.
func (i *installation) alone() (release func(), err error) {
	lock := flock.New(i.path(installState, "install.lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", i.o.DataRoot, err)
	}
	if !locked {
		return nil, fmt.Errorf("another locbench process is installing into %s", i.o.DataRoot)
	}
	left, err := filepath.Glob(i.path(installState, "unpack-*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return func() { lock.Unlock() }, nil
}

func (i *installation) path(parts ...string) string {
	return filepath.Join(append([]string{i.o.DataRoot}, parts...)...)
}

// resolve finds the archives that are not there yet.
func (i *installation) resolve(ctx context.Context) ([]string, Index, error) {
	index, err := readIndex(ctx, i.o.Client, i.o.Index, i.path(installState, "index.yaml"))
	if err != nil {
		return nil, nil, err
	}
	names, err := index.match(i.card.Archives)
	if err != nil {
		return nil, nil, err
	}
	if len(i.o.Only) > 0 {
		if names = slices.DeleteFunc(names, func(name string) bool {
			return !matchesAny(i.o.Only, name)
		}); len(names) == 0 {
			return nil, nil, fmt.Errorf("want archives of %s that match %s, found none", i.card.Name, strings.Join(i.o.Only, ", "))
		}
	}
	installed, err := readNames(i.path(installedFile))
	if err != nil {
		return nil, nil, err
	}
	var todo []string
	for _, name := range names {
		if slices.Contains(installed, name) && sameArchive(fileList(i.o.DataRoot, name), string(index[name].SHA256)) {
			i.done.Before = append(i.done.Before, name)
		} else {
			todo = append(todo, name)
		}
		if index[name].Script != "" {
			i.o.Log.Warn("the index names an install script, which is not run", "archive", name, "script", index[name].Script)
		}
	}
	return todo, index, nil
}

const maxLicence = 1 << 20 // bytes

// accept asks for every licence that was not accepted before: those that the index
// names, else the card's.
func (i *installation) accept(ctx context.Context, todo []string, index Index) error {
	known, err := readNames(i.path(licencesFile))
	if err != nil {
		return err
	}
	before := len(known)
	for _, name := range todo {
		licence, text := index[name].Licence, i.card.Licence
		if licence == "" {
			licence = "locbench, scene " + i.card.Name // kapture's downloader skips what is no address of its index
		}
		if slices.Contains(known, licence) {
			continue
		}
		if licence == index[name].Licence {
			full, err := i.o.Client.Text(ctx, licence, maxLicence)
			if err != nil {
				return fmt.Errorf("licence of %s: %w", name, err)
			}
			text = licence + "\n\n" + strings.ToValidUTF8(string(full), "?")
		}
		ok, err := i.o.Accept(i.card.Name, text)
		if err != nil {
			return err
		}
		if !ok {
			return &LicenceError{i.card.Name}
		}
		known = append(known, licence)
	}
	if len(known) == before {
		return nil
	}
	return writeNames(i.path(licencesFile), known)
}

// room checks that the disk takes the archives and what they hold, as far as the
// servers say how long they are; it returns the bytes of the archives.
func (i *installation) room(ctx context.Context, todo []string, index Index) (int64, error) {
	sizes := make([]int64, len(todo))
	var g errgroup.Group
	g.SetLimit(i.o.Parallel)
	for n, name := range todo {
		g.Go(func() error {
			sizes[n], _ = i.o.Client.Size(ctx, index[name].URL) // what a server does not say, it need not
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	var total, largest, here int64
	for n, size := range sizes {
		if size > 0 {
			total += size
			largest = max(largest, size)
			here += min(size, i.arrived(todo[n]))
		}
	}
	// Unpacked, photographs are as large and features a little larger. The archives
	// being unpacked are there beside what they hold; an earlier call may have left
	// some of them.
	archives := total
	if !i.o.Keep {
		archives = min(total, int64(i.o.Parallel)*largest)
	}
	need := total + total/4 + archives - here
	if free := i.o.Free(i.o.DataRoot); free >= 0 && need > free {
		return 0, &SpaceError{i.o.DataRoot, need, free}
	}
	return total, nil
}

func (i *installation) archive(name string) string { return i.path(installState, name+".archive") }

// arrived returns how many bytes of an archive an earlier call left.
func (i *installation) arrived(name string) int64 {
	for _, file := range []string{i.archive(name), i.archive(name) + ".part"} {
		if info, err := os.Stat(file); err == nil {
			return info.Size()
		}
	}
	return 0
}

// fetch downloads the archives side by side and unpacks each when it is whole.
func (i *installation) fetch(ctx context.Context, todo []string, index Index, total int64) error {
	client := *i.o.Client
	const unit = 1 << 20 // of progress
	if i.o.Progress != nil {
		var mutex sync.Mutex
		var bytes, shown int64
		i.o.Progress.Start("download "+i.card.Name+" (MiB)", int(total/unit))
		defer i.o.Progress.Done()
		client.Arrived = func(n int64) {
			mutex.Lock()
			defer mutex.Unlock()
			bytes += n
			if now := bytes / unit; now != shown {
				i.o.Progress.Add(int(now - shown))
				shown = now
			}
		}
	}
	client.Retried = func(url, why string) { i.o.Log.Warn("trying again", "url", url, "why", why) }
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(i.o.Parallel)
	for _, name := range todo {
		g.Go(func() error {
			archive := i.archive(name)
			if err := client.File(ctx, index[name].URL, string(index[name].SHA256), archive); err != nil {
				return err
			}
			return i.unpack(ctx, name, index[name], archive)
		})
	}
	return g.Wait()
}

// unpack puts the files of an archive into their places and remembers them.
func (i *installation) unpack(ctx context.Context, name string, entry IndexEntry, archive string) error {
	info, err := os.Stat(archive)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(i.path(installState), "unpack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files, err := fetch.Unpack(ctx, archive, dir, fetch.LimitsOf(info.Size()))
	if err != nil {
		return err
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if err := merge(ctx, name, dir, i.o.DataRoot, files); err != nil {
		return err
	}
	if err := writeFileList(fileList(i.o.DataRoot, name), string(entry.SHA256), files); err != nil {
		return err
	}
	installed, err := readNames(i.path(installedFile))
	if err != nil {
		return err
	}
	if err := writeNames(i.path(installedFile), append(installed, name)); err != nil {
		return err
	}
	i.done.Archives, i.done.Files = append(i.done.Archives, name), i.done.Files+len(files)
	slices.Sort(i.done.Archives)
	i.o.Log.Info("archive installed", "archive", name, "files", len(files))
	if i.o.Keep {
		return nil
	}
	return os.Remove(archive)
}
