// Package colmap reads and writes the sparse models of COLMAP, in its text and its
// binary form, and turns them into kapture's points and observations and back.
//
// # Coordinates
//
// Poses are world → camera, as in kapture, and pixels are counted alike: (0, 0) is
// the upper left corner of the image. Nothing is shifted or turned. A keypoint of
// an image is known by its place in the image's list, as a row of a kapture
// keypoints file is.
//
// # Format
//
// A model is a folder of cameras, images and points3D, all three .txt or all
// three .bin (little-endian). Files of newer versions about rigs and frames are
// left alone: the poses of the images say the same. Where both forms are there,
// the binary one is read.
package colmap
