package scenes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"locbench/kapture"
)

// Map returns the reconstruction that the scene brings: points and observations
// of its mapping dataset; nil if it has none. A scene of several mapping datasets
// has none: their points are numbered each for itself.
func (s *Scene) Map() (*kapture.Points3D, *kapture.Observations, error) {
	p, _ := s.mapPart()
	if p == nil {
		return nil, nil, nil
	}
	points, err := p.data.Points3D()
	if err != nil || points == nil {
		return nil, nil, err
	}
	seen, err := p.data.Observations()
	if err != nil || seen == nil {
		return nil, nil, err
	}
	return points, seen, nil
}

// MapFiles returns the files that [Scene.Map] reads, points first; nil if there
// is no map.
func (s *Scene) MapFiles() []string {
	_, files := s.mapPart()
	return files
}

func (s *Scene) mapPart() (*part, []string) {
	var only *part
	for _, p := range s.parts {
		if p.query {
			continue
		}
		if only != nil {
			return nil, nil
		}
		only = p
	}
	if only == nil {
		return nil, nil
	}
	var files []string
	for _, name := range []string{"points3d.txt", "observations.txt"} {
		file := filepath.Join(only.dir, "reconstruction", name)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		files = append(files, file)
	}
	return only, files
}
