package kapture_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// A dataset of one image with one global feature, written and read.
func Example() {
	dir, err := os.MkdirTemp("", "kapture")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	pose := kapture.PartialPose{Pose: geom.Identity(), HasRotation: true, HasTranslation: true}
	d := &kapture.Dataset{
		Sensors:      []kapture.Sensor{{ID: "phone", Type: "camera", Params: []string{"SIMPLE_PINHOLE", "640", "480", "500", "320", "240"}}},
		Trajectories: []kapture.DevicePose{{Timestamp: 7, Device: "phone", Pose: pose}},
		Cameras:      []kapture.FileRecord{{Timestamp: 7, Sensor: "phone", Path: "hall/7.jpg"}},
	}
	if err := d.Write(dir); err != nil {
		log.Fatal(err)
	}
	gem := filepath.Join(dir, "reconstruction", "global_features", "gem")
	w, err := kapture.CreateFeatures(gem, kapture.GlobalFeatures, kapture.FeatureHeader{Name: "gem", DType: kapture.Float32, DSize: 2, Metric: "L2"})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Write("hall/7.jpg", []float32{0.6, 0.8}); err != nil {
		log.Fatal(err)
	}

	d, err = kapture.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	poses, err := d.ImagePoses()
	if err != nil {
		log.Fatal(err)
	}
	f, err := d.Features(kapture.GlobalFeatures, "gem")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for _, image := range f.Images() {
		row, err := f.Float32(image, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(image, poses[image].Center(), row)
	}
	// Output: hall/7.jpg {-0 -0 -0} [0.6 0.8]
}
