package nets

import (
	"fmt"
	"strings"
)

// Config says which network the tensors are for. Its zero values are those of
// a plain torchvision network: see the fields.
type Config struct {
	// Arch is resnet10, 18, 34, 50, 101 or 152, also with the suffix _rmac of
	// the retrieval checkpoints. Narrower or wider trunks name the features of
	// their stem, 64 as published: resnet10_w16.
	Arch string
	// Pooling makes one vector of the last feature map: "gem", "max" (MAC),
	// "avg" or "rmac".
	Pooling string
	// GemP is the exponent of "gem" where the tensors hold no adpool.p.
	GemP float64
	// OutDim is the length of a descriptor, the rows of fc.weight. 0: that of
	// the tensor. Without an fc it is the trunk's.
	OutDim int
	// WithoutFC leaves the linear layer out.
	WithoutFC bool
	// NormFeatures divides the pooled vector by its length before the fc.
	NormFeatures bool
	// CenterBias multiplies the features at the image's centre by 1 plus it,
	// falling off to 1 at the border.
	CenterBias float64
	// Mean and Std normalize the pixels, as fractions of 255, by channel:
	// (value/255 - Mean)/Std.
	Mean, Std [3]float64
}

// ImageNetMean and ImageNetStd are what the published networks were trained with.
func ImageNetMean() [3]float64 { return [3]float64{0.485, 0.456, 0.406} }

// ImageNetStd is the standard deviation beside [ImageNetMean].
func ImageNetStd() [3]float64 { return [3]float64{0.229, 0.224, 0.225} }

// pooling is a global pooling.
type pooling int

const (
	gem pooling = iota
	mac
	average
	rmac
)

// findPooling also takes the names that the field uses beside those of [Config].
func findPooling(name string) (pooling, error) {
	switch strings.ToLower(name) {
	case "gem", "gemp":
		return gem, nil
	case "max", "mac":
		return mac, nil
	case "avg", "average", "spoc":
		return average, nil
	case "rmac":
		return rmac, nil
	}
	return 0, fmt.Errorf("pooling %q: want gem, max, avg or rmac", name)
}

func (c *Config) check() error {
	for i := range 3 {
		if !(c.Std[i] > 0) {
			return fmt.Errorf("network %s: want a positive standard deviation of the pixels, found %v", c.Arch, c.Std)
		}
	}
	if c.OutDim < 0 {
		return fmt.Errorf("network %s: want a positive output dimension, found %d", c.Arch, c.OutDim)
	}
	return nil
}
