package scenes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"locbench/kapture"
)

// ObservationFiles returns the observations that may say which points queries
// and mapping images both see: those that the card names, else those of the
// scene's datasets.
func (s *Scene) ObservationFiles() []string {
	dirs := []string{s.path(s.Observations)}
	if s.Observations == "" {
		dirs = nil
		for _, p := range s.parts {
			dirs = append(dirs, p.dir)
		}
	}
	var files []string
	for _, dir := range dirs {
		file := filepath.Join(dir, "reconstruction", "observations.txt")
		if _, err := os.Stat(file); s.Observations != "" || !errors.Is(err, fs.ErrNotExist) {
			files = append(files, file)
		}
	}
	return files
}

// CoVisibility returns which points the scene's images see, from the first
// observations that name a query and a mapping image; nil without such.
func (s *Scene) CoVisibility() (*kapture.CoVisibility, error) {
	for _, file := range s.ObservationFiles() {
		_, seen, err := kapture.ReadReconstruction(filepath.Dir(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		c := seen.CoVisibility()
		if sees(c, s.queries) && sees(c, s.mapping) {
			return c, nil
		}
	}
	return nil, nil
}

func sees(c *kapture.CoVisibility, images []Image) bool {
	for _, im := range images {
		if c.Sees(im.Name) > 0 {
			return true
		}
	}
	return false
}
