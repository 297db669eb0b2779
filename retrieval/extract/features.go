package extract

import (
	"context"
	"errors"
	"fmt"

	"locbench/kapture"
)

// Result says what became of the images.
type Result struct {
	Extracted int     // described by this call
	Kept      int     // there already
	Bad       []error // of those that could not be read, in the order of the images
}

// Err returns what makes an extraction incomplete, the first ten bad images;
// nil if there is none.
func (r *Result) Err() error {
	if len(r.Bad) == 0 {
		return nil
	}
	total := r.Extracted + r.Kept + len(r.Bad)
	return errors.Join(kapture.FirstTen(r.Bad), fmt.Errorf("%d of %d images could not be read, the others are done", len(r.Bad), total))
}

// ToFeatures writes the images' descriptors as kapture global features, a file
// an image, into the folder dir, beside [MetadataFile]. Images that have theirs
// there are passed over, so that an interrupted extraction goes on where it
// stopped; features that were made otherwise are refused with an
// [*OptionError]. name is the type's. Images have no crop: the files, which are
// known by the image's name, would not say it.
func (e *Extractor) ToFeatures(ctx context.Context, images []Image, dir, name string, o RunOptions) (*Result, error) {
	if err := CheckFiles(images); err != nil {
		return nil, err
	}
	for _, im := range images {
		if !im.Crop.Empty() {
			return nil, optionf("want whole images for kapture features, found %s with the crop %v", im.Name, im.Crop)
		}
	}
	release, err := e.meta.claim(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	return e.toFeatures(ctx, images, dir, name, o)
}

// Header describes the descriptors in kapture's terms, as a type of that name.
func (e *Extractor) Header(name string) kapture.FeatureHeader {
	return kapture.FeatureHeader{Name: name, DType: kapture.Float32, DSize: e.Dim(), Metric: "L2"}
}

func (e *Extractor) toFeatures(ctx context.Context, images []Image, dir, name string, o RunOptions) (*Result, error) {
	w, err := kapture.CreateFeatures(dir, kapture.GlobalFeatures, e.Header(name))
	if err != nil {
		return nil, err
	}
	there, err := kapture.OpenFeatures(dir, kapture.GlobalFeatures)
	if err != nil {
		return nil, err
	}
	defer there.Close()
	var todo []Image
	result := &Result{}
	for _, im := range images {
		if _, err := there.Rows(im.Name); err == nil { // a file of another length is written again
			result.Kept++
			continue
		}
		todo = append(todo, im)
	}
	if o.Progress != nil {
		o.Progress.Start("extract "+name, len(todo))
		defer o.Progress.Done()
	}
	result.Bad, err = e.Run(ctx, todo, o, func(i int, row []float32) error {
		result.Extracted++
		return w.Write(todo[i].Name, row)
	})
	return result, err
}
