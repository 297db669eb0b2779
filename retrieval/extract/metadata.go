package extract

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"locbench/kapture"
)

// MetadataFile is the file beside features that says how they were made.
const MetadataFile = "extract.json"

// metadataFormat is the version of the file that this package writes.
const metadataFormat = 1

// Metadata says which model made descriptors, and how.
type Metadata struct {
	Format   int      `json:"format"`
	Model    Model    `json:"model"`
	Dim      int      `json:"dim"` // values of a descriptor
	Settings Settings `json:"settings"`
	// Crops are those of a matrix's rows: left, top, right, bottom in pixels,
	// zeros for a whole image. None: all are whole.
	Crops [][4]int `json:"crops,omitempty"`
}

// Model is a checkpoint.
type Model struct {
	File   string `json:"file"` // its base name
	SHA256 string `json:"sha256"`
	Arch   string `json:"arch"`
}

// String says it in a line: model, start of its hash, settings.
func (m *Metadata) String() string {
	const shown = 12 // of 64 digits
	return fmt.Sprintf("%s (%s, sha256 %.*s), %s", m.Model.File, m.Model.Arch, shown, m.Model.SHA256, m.Settings.Summary())
}

// Same reports whether descriptors of m and other may stand in one set: the
// same weights, whatever the file's name, and settings that do the same.
func (m *Metadata) Same(other *Metadata) bool {
	return m.Model.SHA256 == other.Model.SHA256 && m.Dim == other.Dim && m.Settings.same(other.Settings)
}

// withCrops is m for a matrix of those of the images.
func (m Metadata) withCrops(images []Image, rows []int) *Metadata {
	m.Crops = nil
	cropped := false
	for _, i := range rows {
		c := images[i].Crop
		if c.Empty() {
			c = image.Rectangle{}
		}
		cropped = cropped || !c.Empty()
		m.Crops = append(m.Crops, [4]int{c.Min.X, c.Min.Y, c.Max.X, c.Max.Y})
	}
	if !cropped {
		m.Crops = nil
	}
	return &m
}

// ReadMetadata reads a file that [Metadata.Write] wrote. Other text is a
// [*kapture.InputError].
func ReadMetadata(path string) (*Metadata, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Metadata{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, &kapture.InputError{Path: path, Msg: "want how features were extracted, in JSON, found " + err.Error()}
	}
	if m.Format != metadataFormat {
		return nil, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want format %d, found %d", metadataFormat, m.Format)}
	}
	return m, nil
}

// Write writes it as JSON, whole or not at all.
func (m *Metadata) Write(path string) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(text, '\n'), 0o644)
}

// claim makes the folder the place of features that m describes, and keeps
// every other process out of it until release is called. If it holds others it
// is refused with an [*OptionError].
func (m *Metadata) claim(dir string) (release func(), err error) {
	path := filepath.Join(dir, MetadataFile)
	switch old, err := ReadMetadata(path); {
	case errors.Is(err, fs.ErrNotExist):
		if err := m.begin(dir); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	default:
		if err := m.agree(dir, old); err != nil {
			return nil, err
		}
	}
	lock := flock.New(path)
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !locked {
		return nil, fmt.Errorf("%s is in use by another locbench process", dir)
	}
	if err := sweep(dir); err != nil {
		lock.Unlock()
		return nil, err
	}
	return func() { lock.Unlock() }, nil
}

// begin makes a new feature folder.
func (m *Metadata) begin(dir string) error {
	for _, ending := range []string{".txt", ".tar"} {
		if _, err := os.Stat(filepath.Join(dir, string(kapture.GlobalFeatures)+ending)); err == nil {
			return optionf("%s holds features that were not made by locbench extract (there is no %s): choose another name or folder", dir, MetadataFile)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return m.Write(filepath.Join(dir, MetadataFile))
}

// sweep removes the files that a killed process left half written: atomic
// writers make ".NAME123456" first and rename it when whole.
func sweep(dir string) error {
	unfinished := regexp.MustCompile(`^\..+[0-9]{6,}$`)
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && unfinished.MatchString(d.Name()) {
			err = os.Remove(path)
		}
		return err
	})
}

// agree refuses what was made otherwise.
func (m *Metadata) agree(where string, old *Metadata) error {
	if m.Same(old) {
		return nil
	}
	return optionf("%s holds features that were made otherwise: %v; asked for is %v: choose another name or folder, or remove them", where, old, m)
}
