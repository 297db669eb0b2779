package reports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"locbench/bench/record"
)

const thumbnailsFolder = "thumbnails" // of the report

// Thumbnails say how a report gets small pictures of queries and of the images
// retrieved for them. The zero value makes none.
type Thumbnails struct {
	Most int                               // images that get one, at most
	Make func(file []byte) ([]byte, error) // from an image file's content to a small JPEG
}

// picture is the small picture of an image, or why there is none.
type picture struct {
	file string // relative to the report
	why  int    // of whyNoPicture; 0: there is one
}

// The reasons for having no picture; the page shows their texts.
const (
	pictureLimit = 1 + iota
	pictureFileMissing
	pictureUnreadable
	pictureUnknown
	pictureOff
)

var whyNoPicture = []string{
	"No picture is made of this image.",
	"No picture: the report has as many as it may (--thumbnails).",
	"No picture: the scene's image file is not there.",
	"No picture: the scene's image file cannot be read.",
	"No picture: the run does not say where the image file is.",
	"No picture: the report was made without (--thumbnails 0).",
}

// makePictures makes the pictures of a section, at most so many, and returns
// how many there are of the images asked for. When not all queries can have
// theirs, those that do are spread over all of them.
func (v *views) makePictures(ctx context.Context, dir string, o Thumbnails, most int) (int, error) {
	wanted, missing := v.wanted(most)
	why := pictureLimit
	if o.Make == nil || o.Most == 0 {
		why, wanted, missing = pictureOff, nil, append(wanted, missing...)
	}
	for _, name := range missing {
		v.pictures[name] = picture{why: why}
	}
	made := make([]picture, len(wanted))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range wanted {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			made[i], err = v.makePicture(dir, name, o)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	for i, name := range wanted {
		v.pictures[name] = made[i]
	}
	return len(wanted), nil
}

// wanted lists the images that get a picture, and those beyond the limit.
func (v *views) wanted(most int) (wanted, missing []string) {
	asked := map[string]bool{}
	for _, q := range spread(len(v.data.Queries)) {
		var own []string
		for _, name := range v.imagesOf(q) {
			if !asked[name] {
				own = append(own, name)
				asked[name] = true
			}
		}
		if len(wanted)+len(own) > most {
			missing = append(missing, own...)
			continue
		}
		wanted = append(wanted, own...)
	}
	return wanted, missing
}

// imagesOf lists the images that a query's view shows.
func (v *views) imagesOf(q int) []string {
	names := []string{v.data.Queries[q].Name}
	for _, i := range v.shown(q) {
		names = append(names, v.data.Images[i])
	}
	for _, m := range v.matches[names[0]] {
		names = append(names, m.Image)
	}
	return names
}

// spread orders 0…n−1 so that the first ones of any number lie evenly among
// all: by multiples of the golden section.
func spread(n int) []int {
	step := max(1, int(float64(n)*0.6180339887))
	for gcd(step, n) > 1 {
		step++
	}
	out := make([]int, n)
	for i := range out {
		out[i] = i * step % n
	}
	return out
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// makePicture makes one picture, named by the image file's content: one that is
// there already stays. Only a failure to write is an error.
func (v *views) makePicture(dir, name string, o Thumbnails) (picture, error) {
	c, known := v.cameras[name]
	if !known {
		return picture{why: pictureUnknown}, nil
	}
	path := filepath.FromSlash(c.File)
	if !filepath.IsAbs(path) {
		path = filepath.Join(v.folders[name], path)
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return picture{why: pictureFileMissing}, nil
	}
	if err != nil {
		return picture{why: pictureUnreadable}, nil
	}
	sum := sha256.Sum256(content)
	file := thumbnailsFolder + "/" + hex.EncodeToString(sum[:10]) + ".jpg"
	if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
		return picture{file: file}, nil
	}
	small, err := o.Make(content)
	if err != nil {
		return picture{why: pictureUnreadable}, nil
	}
	return picture{file: file}, record.WriteFile(filepath.Join(dir, file), func(w io.Writer) error {
		_, err := w.Write(small)
		return err
	})
}
