package camera

// family says how a model bends rays before and after the polynomial.
type family uint8

const (
	planar   family = iota // polynomial on the image plane z = 1; no coefficients: a pinhole
	rational               // as planar, with k4 to k6 in the denominator
	fisheye                // equidistant projection, then the polynomial
	fov                    // field-of-view model (Devernay and Faugeras, 2001)
)

// model is a family and the names of its parameters, in COLMAP's order.
// k1 to k4 are the coefficients of r², r⁴, r⁶ and r⁸, except that in
// FULL_OPENCV k4, k5 and k6 are those of r², r⁴ and r⁶ in the denominator.
type model struct {
	family family
	params string
}

var models = map[string]model{
	"SIMPLE_PINHOLE":        {planar, "f cx cy"},
	"PINHOLE":               {planar, "fx fy cx cy"},
	"SIMPLE_RADIAL":         {planar, "f cx cy k"},
	"RADIAL":                {planar, "f cx cy k1 k2"},
	"OPENCV":                {planar, "fx fy cx cy k1 k2 p1 p2"},
	"FULL_OPENCV":           {rational, "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6"},
	"OPENCV_FISHEYE":        {fisheye, "fx fy cx cy k1 k2 k3 k4"},
	"SIMPLE_RADIAL_FISHEYE": {fisheye, "f cx cy k"},
	"RADIAL_FISHEYE":        {fisheye, "f cx cy k1 k2"},
	"THIN_PRISM_FISHEYE":    {fisheye, "fx fy cx cy k1 k2 p1 p2 k3 k4 sx1 sy1"},
	"FOV":                   {fov, "fx fy cx cy omega"},
}
