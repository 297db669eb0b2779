// Package pickle reads Python pickles, protocols 0 to 5, as data.
//
// A pickle is a program for a small machine that may call any Python function.
// This reader runs the machine, but holds no function to call: a global is a
// name ([Global]), a call an inert record of the name and its arguments
// ([Object]). A global that is neither plain data of Python's own (see [Read])
// nor on the caller's allow-list ends the reading with an error that names it,
// so that a file which asks for posix.system is refused, not ignored.
//
// Sizes in the data are never trusted: each is compared with the bytes that are
// left before anything is allocated, so what a pickle takes in memory is in
// proportion to its length. Values may still be nested as deep as the file is
// long, shared, and cyclic: whoever walks them must not recurse without bound.
//
// The machine and its operations are those of CPython's Lib/pickletools.py.
//
// # Values
//
//	None                       nil
//	bool                       bool
//	int                        int64, or *big.Int where it does not fit
//	float                      float64
//	str                        string (UTF-8)
//	str of Python 2            string (any bytes)
//	bytes, bytearray           Bytes
//	tuple                      Tuple
//	list                       *List
//	dict, OrderedDict          *Dict, in the order of insertion
//	set, frozenset             *Set
//	a class or function        Global
//	any other object or call   *Object; numpy's are read by AsArray
package pickle
