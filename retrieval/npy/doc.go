// Package npy reads and writes NumPy's .npy files: matrices of descriptors,
// scores or ranks from other programs. Rows are read in blocks from the disk,
// so that a file may be larger than the memory.
//
// # Format
//
// The bytes \x93NUMPY, a version (1.0, 2.0 or 3.0), the length of the header, the
// header and the values (NumPy enhancement proposal 1 and numpy.lib.format).
// The header is the text of a Python dict: descr, the type of the values, such
// as '<f4'; fortran_order; shape. Read are float16, float32, float64 and the
// integers of 8 to 64 bits, of either byte order, by rows; and matrices by
// columns (fortran_order), which is how a transposed one is saved. An array of
// more dimensions than two is a matrix with all but the first dimension in its
// rows.
//
// # Errors
//
// A file that cannot be read gives the operating system's error, one that is no
// valid .npy file a [*FormatError]. Sizes in a header are held against the size
// of the file before anything is allocated.
package npy
