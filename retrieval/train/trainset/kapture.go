package trainset

import (
	"context"
	"path/filepath"
	"slices"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// openKapture reads kapture datasets of one map: images are related by [Near].
// Those without a pose are left out, with a warning. Every image is a class of
// its own: what is near is no class, for the near of the near may be far.
func openKapture(ctx context.Context, s Source) (*Set, error) {
	dirs := s.Datasets
	if len(dirs) == 0 {
		dirs = []string{"."}
	}
	k := &posed{gathering: newGathering(s, s.Path, Source{}.below(s.Path)), byName: map[string]int32{}}
	for _, dir := range dirs {
		if err := k.read(dir); err != nil {
			return nil, err
		}
	}
	if len(k.unposed) > 0 {
		k.warnf("%s without a pose left out: %s", counted(len(k.unposed), "image"), some(k.unposed))
	}
	if err := k.faults.err(); err != nil {
		return nil, err
	}
	seen, err := k.covisibility(dirs)
	if err != nil {
		return nil, err
	}
	positive, ignored := s.Near.related(k.poses, seen)
	k.positives, k.ignored = newPairs(len(k.names), positive), newPairs(len(k.names), ignored)
	return k.set(ctx)
}

// posed gathers images with their poses.
type posed struct {
	*gathering
	poses   []geom.Pose
	byName  map[string]int32 // rows by dataset and image: see inDataset
	unposed []string
}

// read adds the images of the dataset in a folder below the source's path.
func (k *posed) read(dir string) error {
	d, err := kapture.Open(filepath.Join(k.path, dir))
	if err != nil {
		return err
	}
	poses, err := d.ImagePoses()
	if err != nil {
		return err
	}
	images := make([]string, len(d.Cameras))
	for i, c := range d.Cameras {
		images[i] = c.Path
	}
	slices.Sort(images)
	for _, image := range slices.Compact(images) {
		name := filepath.ToSlash(filepath.Join(dir, "sensors", "records_data", image))
		p := poses[image]
		if !p.Complete() {
			k.unposed = append(k.unposed, name)
			continue
		}
		k.byName[inDataset(dir, image)] = int32(len(k.names))
		k.poses = append(k.poses, p.Pose)
		k.add(name, name, 0)
	}
	return nil
}

// inDataset names an image for byName.
func inDataset(dir, image string) string { return dir + "\x00" + image }

// covisibility reads the observations, if points count.
func (k *posed) covisibility(dirs []string) (*covisibility, error) {
	near := k.source.Near
	if near.IoU == 0 {
		return nil, nil
	}
	from := dirs
	if near.Observations != "" {
		from = []string{near.Observations}
	}
	var seen sightings
	for _, dir := range from {
		d, err := kapture.Open(filepath.Join(k.path, dir))
		if err != nil {
			return nil, err
		}
		o, err := d.Observations()
		if err != nil {
			return nil, err
		}
		in := []string{dir} // the datasets that the observations name images of
		if near.Observations != "" {
			in = dirs
		}
		if o != nil {
			seen.add(o, k.rowsOf(o.Images(), in))
		}
	}
	if len(seen.all) == 0 {
		return nil, &kapture.InputError{Path: k.path, Msg: "want reconstruction/observations.txt that name the images, as near.iou is asked for, found none"}
	}
	return newCovisibility(len(k.names), seen.points, seen.all), nil
}

// rowsOf returns the rows of images in the given datasets.
func (k *posed) rowsOf(images, dirs []string) map[string][]int32 {
	rows := make(map[string][]int32, len(images))
	for _, image := range images {
		for _, dir := range dirs {
			if row, ok := k.byName[inDataset(dir, image)]; ok {
				rows[image] = append(rows[image], row)
			}
		}
	}
	return rows
}
