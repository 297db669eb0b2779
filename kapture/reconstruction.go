package kapture

import (
	"io/fs"
	"os"
	"path/filepath"
)

// ReadReconstruction reads the points and observations that lie below a folder,
// which need not be a whole dataset, as reconstruction/points3d.txt and
// reconstruction/observations.txt. One that is missing is an error.
func ReadReconstruction(dir string) (*Points3D, *Observations, error) {
	d := &Dataset{Version: "1.1", fsys: os.DirFS(dir), name: dir}
	points, err := d.Points3D()
	if err != nil {
		return nil, nil, err
	}
	seen, err := d.Observations()
	if err != nil {
		return nil, nil, err
	}
	missing := func(file string) error {
		return &fs.PathError{Op: "open", Path: filepath.Join(dir, filepath.FromSlash(file)), Err: fs.ErrNotExist}
	}
	switch {
	case points == nil:
		return nil, nil, missing(points3dFile)
	case seen == nil:
		return nil, nil, missing(observationsFile)
	}
	return points, seen, nil
}
