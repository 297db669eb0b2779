package kapture

import (
	"fmt"
	"math"
	"strconv"

	"locbench/kapture/camera"
)

// CameraParams are the intrinsics of a camera, as package camera takes them.
type CameraParams struct {
	Model  string // a COLMAP model such as "PINHOLE", or "UNKNOWN_CAMERA"
	Width  int    // of the image, in pixels
	Height int
	Params []float64 // the model's parameters, in pixels where they are lengths
}

// unknownCamera is kapture's model of a camera of which only the image size is
// known.
const unknownCamera = "UNKNOWN_CAMERA"

func (s Sensor) isCamera() bool { return s.Type == "camera" || s.Type == "depth" }

// Camera returns the intrinsics of a camera or depth camera. Another type of
// sensor, an unknown model or a wrong number of parameters is an [InputError].
// UNKNOWN_CAMERA is no error here; it has no parameters.
func (s Sensor) Camera() (CameraParams, error) {
	var c CameraParams
	fail := func(format string, args ...any) (CameraParams, error) {
		return CameraParams{}, &InputError{Path: "sensor " + strconv.Quote(s.ID), Msg: fmt.Sprintf(format, args...)}
	}
	if !s.isCamera() {
		return fail("want a camera, found a sensor of type %s", quote(s.Type))
	}
	if len(s.Params) < 3 {
		return fail("want a camera's model, width and height, found %d parameters", len(s.Params))
	}
	values := make([]float64, 0, len(s.Params)-1)
	for _, p := range s.Params[1:] {
		v, ok := parseFloat([]byte(p))
		if !ok || v-v != 0 {
			return fail("want a finite number as camera parameter, found %s", quote(p))
		}
		values = append(values, v)
	}
	for _, v := range values[:2] {
		if v < 1 || v > math.MaxInt32 || v != math.Trunc(v) {
			return fail("want a width and a height in pixels, found %s x %s", s.Params[1], s.Params[2])
		}
	}
	c = CameraParams{Model: s.Params[0], Width: int(values[0]), Height: int(values[1]), Params: values[2:]}
	if c.Model == unknownCamera {
		c.Params = nil
		return c, nil
	}
	if _, err := camera.New(c.Model, c.Params); err != nil {
		return fail("%v", err)
	}
	return c, nil
}
