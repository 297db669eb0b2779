package trainset_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"locbench/retrieval/imgio"
	"locbench/retrieval/train/augment"
	"locbench/retrieval/train/trainset"
	"locbench/scenes/synth"
)

// Landmarks that are made in memory, and a batch of two images of each of four.
func Example() {
	const classes, views = 8, 3
	marks, err := synth.NewLandmarks(synth.LandmarkOptions{Classes: classes, Views: views, Size: 48, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	var images []*imgio.Image
	var names, labels []string
	for c := range classes {
		m := marks.Landmark(c)
		for v := range views {
			images = append(images, imgio.From(m.Picture(v)))
			names = append(names, fmt.Sprintf("%s/%d", m.Name, v))
			labels = append(labels, m.Name)
		}
	}
	set, err := trainset.FromLabels(names, labels)
	if err != nil {
		log.Fatal(err)
	}
	sampler, err := trainset.NewSampler(set, trainset.SamplerOptions{Batch: 8, PerClass: 2, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	pipeline, err := augment.New(augment.Default(40))
	if err != nil {
		log.Fatal(err)
	}
	loader := trainset.NewLoader(set, trainset.LoaderOptions{Pipeline: pipeline, Workers: 2, Ahead: 4,
		Open: func(i int) (*imgio.Image, error) { return images[i], nil }})
	batch := sampler.Batch(0, 0)
	for m, err := range loader.Load(context.Background(), slices.Values(batch)) {
		if err != nil {
			log.Fatal(err)
		}
		if m.Image == batch[0].Image {
			fmt.Printf("%d×%d pixels\n", m.Pixels.W, m.Pixels.H)
		}
	}
	positives := 0
	for _, a := range batch {
		for _, b := range batch {
			if set.Relation(a.Image, b.Image) == trainset.Positive {
				positives++
			}
		}
	}
	fmt.Println(positives, "of", len(batch)*len(batch), "pairs are positive")
	// Output:
	// 40×40 pixels
	// 16 of 64 pairs are positive
}
