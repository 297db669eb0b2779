package extract

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"strings"

	"github.com/google/renameio/v2"

	"locbench/kapture"
	"locbench/retrieval/npy"
)

// matrixFiles are the files of a matrix of descriptors.
type matrixFiles struct {
	rows    string // FILE.npy
	names   string // FILE.txt, the image of each row
	meta    string // FILE.json
	partial string // the folder FILE.npy.partial
}

// partialName is the type of the features in the partial folder.
const partialName = "partial"

func filesOf(path string) matrixFiles {
	base := strings.TrimSuffix(path, ".npy")
	return matrixFiles{rows: path, names: base + ".txt", meta: base + ".json", partial: path + ".partial"}
}

// ToMatrix writes the images' descriptors as rows of the file path, which ends
// in .npy, in the order of the images; beside it, the names of the images as
// .txt, a row a line, and the metadata as .json, with the crops. Images that
// could not be read have no row and no line.
//
// Descriptors are gathered in the folder PATH.partial first, an image a file,
// and the matrix is written when all are there: an interrupted extraction goes
// on from that folder. Rows of an older matrix of the same settings are taken
// over; one that was made otherwise is refused with an [*OptionError].
func (e *Extractor) ToMatrix(ctx context.Context, images []Image, path string, o RunOptions) (*Result, error) {
	if err := CheckFiles(images); err != nil {
		return nil, err
	}
	files := filesOf(path)
	old, err := e.oldMatrix(files)
	if err != nil {
		return nil, err
	}
	if old.holds(images) {
		return &Result{Kept: len(images)}, nil
	}
	release, err := e.meta.claim(files.partial)
	if err != nil {
		return nil, err
	}
	defer release()
	unique, aliases := keyed(images)
	if err := e.takeOver(old, files); err != nil {
		return nil, err
	}
	result, err := e.toFeatures(ctx, unique, files.partial, partialName, o)
	if err != nil {
		return nil, err
	}
	result.Kept += len(images) - len(unique)
	if err := e.assemble(images, aliases, files); err != nil {
		return nil, err
	}
	return result, os.RemoveAll(files.partial)
}

// keyed names each image, once, by a hash: in the partial folder names must be
// plain. aliases are the keys of all images.
func keyed(images []Image) (unique []Image, aliases []string) {
	seen := map[string]bool{}
	for _, im := range images {
		key := im.key()
		aliases = append(aliases, key)
		if !seen[key] {
			unique = append(unique, Image{Name: key, File: im.File, Crop: im.Crop})
		}
		seen[key] = true
	}
	return unique, aliases
}

// key tells apart what has a row of its own: images, and crops of one image.
func (im Image) key() string {
	text := im.Name
	if !im.Crop.Empty() {
		text += "\x00" + im.Crop.String()
	}
	sum := sha256.Sum256([]byte(text))
	key := hex.EncodeToString(sum[:])
	return key[:2] + "/" + key[2:]
}

// oldMatrix is a matrix that is there already, as the images of its rows, which
// have no file; nil: none.
type oldMatrix struct{ images []Image }

func (e *Extractor) oldMatrix(files matrixFiles) (*oldMatrix, error) {
	meta, err := ReadMetadata(files.meta)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, files.free()
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(files.rows); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := e.meta.agree(files.rows, meta); err != nil {
		return nil, err
	}
	if _, err := os.Stat(files.partial); err == nil {
		return nil, nil // it was being replaced, and its files may not fit each other
	}
	text, err := os.ReadFile(files.names)
	if err != nil {
		return nil, err
	}
	names := strings.FieldsFunc(string(text), func(c rune) bool { return c == '\n' })
	if len(meta.Crops) != 0 && len(meta.Crops) != len(names) {
		return nil, &kapture.InputError{Path: files.meta, Msg: fmt.Sprintf("want a crop for each of the %d lines of %s, found %d", len(names), files.names, len(meta.Crops))}
	}
	old := &oldMatrix{make([]Image, len(names))}
	for i, name := range names {
		old.images[i].Name = name
		if len(meta.Crops) > 0 {
			c := meta.Crops[i]
			old.images[i].Crop = image.Rect(c[0], c[1], c[2], c[3])
		}
	}
	return old, nil
}

// free refuses to overwrite what others made, the list of images in particular
// from which the matrix is to be made.
func (files matrixFiles) free() error {
	for _, name := range []string{files.rows, files.names} {
		if _, err := os.Lstat(name); err == nil {
			return optionf("%s is there and was not made by locbench extract (there is no %s): choose another name", name, files.meta)
		}
	}
	return nil
}

// holds reports whether the rows are those of the images.
func (m *oldMatrix) holds(images []Image) bool {
	if m == nil || len(m.images) != len(images) {
		return false
	}
	for i, im := range images {
		if m.images[i].key() != im.key() {
			return false
		}
	}
	return true
}

// takeOver puts the old matrix's rows into the partial folder, so that the
// matrix can be replaced: whenever the program dies, either holds them all.
func (e *Extractor) takeOver(old *oldMatrix, files matrixFiles) error {
	if old == nil {
		return nil
	}
	w, err := kapture.CreateFeatures(files.partial, kapture.GlobalFeatures, e.Header(partialName))
	if err != nil {
		return err
	}
	there, err := kapture.OpenFeatures(files.partial, kapture.GlobalFeatures)
	if err != nil {
		return err
	}
	defer there.Close()
	var rows *npy.File
	row := make([]float32, e.Dim())
	for i, im := range old.images {
		if there.Has(im.key()) {
			continue
		}
		if rows == nil {
			if rows, err = openRows(files.rows, len(old.images), e.Dim()); err != nil {
				return err
			}
			defer rows.Close()
		}
		if err := npy.Read(rows, i, row); err != nil {
			return err
		}
		if err := w.Write(im.key(), row); err != nil {
			return err
		}
	}
	return nil
}

func openRows(path string, rows, dim int) (*npy.File, error) {
	f, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	if f.Rows() != rows || f.Cols() != dim {
		f.Close()
		return nil, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want %d rows of %d values, as the list beside it has lines, found %d of %d", rows, dim, f.Rows(), f.Cols())}
	}
	return f, nil
}

// assemble writes the matrix of the images that have a descriptor.
func (e *Extractor) assemble(images []Image, keys []string, files matrixFiles) error {
	there, err := kapture.OpenFeatures(files.partial, kapture.GlobalFeatures)
	if err != nil {
		return err
	}
	defer there.Close()
	var have []int
	for i, key := range keys {
		if there.Has(key) {
			have = append(have, i)
		}
	}
	rows, err := npy.Create[float32](files.rows, len(have), e.Dim())
	if err != nil {
		return err
	}
	defer rows.Abort()
	names, err := renameio.NewPendingFile(files.names, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer names.Cleanup()
	lines := bufio.NewWriter(names)
	var row []float32
	for _, i := range have {
		if row, err = there.Float32(keys[i], row); err != nil {
			return err
		}
		if err := rows.Write(row); err != nil {
			return err
		}
		lines.WriteString(images[i].Name + "\n") // a bufio.Writer keeps its error to Flush
	}
	if err := lines.Flush(); err != nil {
		return err
	}
	if err := e.meta.withCrops(images, have).Write(files.meta); err != nil {
		return err
	}
	if err := names.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return rows.Close()
}
