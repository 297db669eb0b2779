package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/camera"
	"locbench/kapture/nearname"
	"locbench/localize/sfm"
	"locbench/scenes"
)

// localFeatures are the keypoints and descriptors of one type that a scene has.
type localFeatures struct {
	name        string
	descriptors string // their type; "": not needed
}

// findLocal decides which local features are meant: those of a name, or the only
// ones. nil, with the reason, if there are none and none were asked for. Where
// nothing is matched, keypoints will do.
func findLocal(scene *scenes.Scene, name string, matched bool) (*localFeatures, string, error) {
	types := scene.FeatureTypes(kapture.Keypoints)
	switch {
	case name == "" && len(types) == 0:
		return nil, "the scene has no local features", nil
	case name == "" && len(types) > 1:
		return nil, fmt.Sprintf("the scene has several local features (%s) and none is named", strings.Join(types, ", ")), nil
	case name == "":
		name = types[0]
	case !slices.Contains(types, name):
		return nil, "", usagef("unknown local feature %q: the scene has %s%s", name, listOr(types, "none"), nearname.DidYouMean(nearname.Closest(name, types)))
	}
	l := &localFeatures{name: name}
	if !matched {
		return l, "", nil
	}
	for _, typ := range scene.FeatureTypes(kapture.Descriptors) {
		src, err := scene.Features(kapture.Descriptors, typ)
		if err != nil {
			return nil, "", err
		}
		of := cmp.Or(src.Header().KeypointsType, typ) // version 1.0 does not say
		if err := src.Close(); err != nil {
			return nil, "", err
		}
		if of == name && l.descriptors != name { // of several, those of the same name
			l.descriptors = typ
		}
	}
	if l.descriptors == "" {
		return nil, "the scene has no descriptors of the keypoints " + name, nil
	}
	return l, "", nil
}

// resolveLocal finds the local features, and leaves out the methods that need
// them where there are none.
func (p *Plan) resolveLocal(asked bool) error {
	local, why, err := findLocal(p.scene, p.o.LocalFeatures, !p.o.matched)
	if err != nil {
		return err
	}
	p.local = local
	if p.o.Map != "" { // before the matching, which takes long
		for _, file := range p.mapFiles() {
			if err := kapture.CheckFile(file); err != nil {
				return usagef("want a map with points3d.txt and observations.txt in %s, of locbench map: %v", filepath.Join(p.o.Map, "reconstruction"), err)
			}
		}
	}
	if local != nil || !slices.ContainsFunc(p.o.Methods, matching) {
		return nil
	}
	if asked {
		return usagef("method %s needs local features: %s", p.o.Methods[slices.IndexFunc(p.o.Methods, matching)], why)
	}
	for _, m := range p.o.Methods {
		if matching(m) {
			p.leftOut = append(p.leftOut, record.LeftOut{Kind: "method", Name: m, Reason: why})
		}
	}
	p.o.Methods = slices.DeleteFunc(slices.Clone(p.o.Methods), matching)
	return nil
}

// matching reports whether a method works on local features.
func matching(method string) bool {
	return method == "local-sfm" || method == "local-sfm+" || method == "global-map"
}

// openLocal are the local features of a scene in use.
type openLocal struct {
	*localFeatures
	keypoints, descriptors *scenes.FeatureSource // descriptors: nil where nothing is matched
	library                *sfm.Library
}

func (l *localFeatures) open(scene *scenes.Scene) (*openLocal, error) {
	o := &openLocal{localFeatures: l}
	var err error
	if o.keypoints, err = scene.Features(kapture.Keypoints, l.name); err != nil {
		return nil, err
	}
	if l.descriptors != "" {
		if o.descriptors, err = scene.Features(kapture.Descriptors, l.descriptors); err != nil {
			return nil, errors.Join(err, o.keypoints.Close())
		}
	}
	images, err := structureImages(scene)
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	o.library = sfm.NewLibrary(images, o.keypoints)
	return o, nil
}

func (o *openLocal) Close() error {
	if o.descriptors == nil {
		return o.keypoints.Close()
	}
	return errors.Join(o.keypoints.Close(), o.descriptors.Close())
}

// has reports whether an image can be matched.
func (o *openLocal) has(image string) bool {
	return o.keypoints.Has(image) && (o.descriptors == nil || o.descriptors.Has(image))
}

// structureImages returns all images of a scene with their cameras. A camera
// that kapture calls unknown, and one that no table has, stays unknown.
func structureImages(scene *scenes.Scene) ([]sfm.Image, error) {
	type key struct{ dataset, camera string }
	type lens struct {
		camera        *camera.Camera
		width, height int
	}
	known := map[key]lens{}
	var out []sfm.Image
	for _, im := range slices.Concat(scene.Mapping(), scene.Queries()) {
		k := key{scene.Dataset(im), im.Camera}
		l, ok := known[k]
		if !ok {
			if sensor, found := scene.Sensor(im); found {
				wrong := func(err error) error {
					return &kapture.InputError{Path: filepath.Join(scene.Dir, k.dataset, "sensors", "sensors.txt"), Msg: fmt.Sprintf("want a camera %s that projects: %v", im.Camera, err)}
				}
				params, err := sensor.Camera()
				if err != nil {
					return nil, wrong(err)
				}
				l.width, l.height = params.Width, params.Height
				if params.Model != "UNKNOWN_CAMERA" {
					c, err := camera.New(params.Model, params.Params)
					if err != nil {
						return nil, wrong(err)
					}
					l.camera = &c
				}
			}
			known[k] = l
		}
		out = append(out, sfm.Image{Name: im.Name, Camera: l.camera, Width: l.width, Height: l.height, Pose: im.Pose})
	}
	return out, nil
}

// localHash is the hash of all that matching reads: keypoints, descriptors,
// cameras of every image. It is computed once: every stage on local features
// asks for it.
func (p *Plan) localHash(ctx context.Context) (string, error) {
	if p.hashed != "" {
		return p.hashed, nil
	}
	d := newDigest("local features", p.local.name, p.local.descriptors)
	keypoints, err := p.storedHash(ctx, kapture.Keypoints, p.local.name)
	if err != nil {
		return "", err
	}
	descriptors, err := p.storedHash(ctx, kapture.Descriptors, p.local.descriptors)
	if err != nil {
		return "", err
	}
	d.add(keypoints, descriptors)
	for _, im := range slices.Concat(p.scene.Mapping(), p.scene.Queries()) {
		sensor, _ := p.scene.Sensor(im)
		d.add(im.Name, sensor.Type)
		d.add(sensor.Params...)
	}
	p.hashed = d.sum()
	return p.hashed, nil
}
