// linjin for C: nearest neighbours among millions of vectors.
//
// Made by cbindgen of crates/c/src; LINJIN_HEADER=write cargo test -p linjin-c --test header writes it anew.
//
// Functions that can fail return a linjin_status; linjin_last_error says in words what went wrong in this thread. Nothing
// is changed by a call that fails. An index may be used by any number of threads at once, and is freed once, when none
// uses it any more. Pointers to arrays have to be valid for as many elements as is said; one to no elements may be NULL.

#ifndef LINJIN_H
#define LINJIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How a call went.
typedef enum {
  // Done.
  LINJIN_OK = 0,
  // An argument does not fit.
  LINJIN_INVALID = 1,
  // An id is not in the index.
  LINJIN_UNKNOWN_ID = 2,
  // The operating system said no.
  LINJIN_IO = 3,
  // A file is no index, is damaged, or was written by a newer linjin.
  LINJIN_FILE = 4,
  // A fault of linjin's own.
  LINJIN_FAULT = 5,
} linjin_status;

// How distance is measured; a smaller distance is closer.
typedef enum {
  // 1 - cos.
  LINJIN_COSINE = 0,
  // The length of the difference.
  LINJIN_EUCLIDEAN = 1,
  // Its square.
  LINJIN_SQEUCLIDEAN = 2,
  // Minus the inner product.
  LINJIN_DOT = 3,
  // The sum of absolute differences.
  LINJIN_MANHATTAN = 4,
  // The share of bits that differ.
  LINJIN_HAMMING = 5,
} linjin_metric;

// An index; what is in it is nobody's business.
typedef struct linjin_index linjin_index;

// How to search; made by linjin_search_defaults, then changed.
typedef struct {
  // Neighbours of each query.
  size_t k;
  // The share of the true neighbours to find, above 0 and at most 1; unless `ef` or `exact` say otherwise.
  float recall;
  // Keep so many candidates; 0 for what the recall takes.
  size_t ef;
  // Compare every vector.
  bool exact;
  // Threads for many queries; 0 for one for each core.
  size_t threads;
  // Find only these ids, `n_filter` of them; NULL for all.
  const uint64_t *filter;
  // How many ids `filter` has.
  size_t n_filter;
  // Do not find these ids, `n_exclude` of them; NULL for none.
  const uint64_t *exclude;
  // How many ids `exclude` has.
  size_t n_exclude;
} linjin_search_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of linjin, as text that stays.
const char *linjin_version(void);

// What went wrong in the last call of this thread that failed, in words; valid until its next call that fails. NULL if none
// has failed.
const char *linjin_last_error(void);

// Options for the `k` closest, at a recall of 0.95, with one thread for each core.
linjin_search_options linjin_search_defaults(size_t k);

// Makes an empty index for vectors of `dim` values (bits, for hamming), from 1 to 65535, and puts it into `*index`. `metric`
// is one of linjin_metric.
linjin_status linjin_new(size_t dim,
                         int metric,
                         linjin_index **index);

// Maps the index file `path` (UTF-8) and puts the index into `*index`: about a millisecond at any size.
linjin_status linjin_open(const char *path,
                          linjin_index **index);

// Writes the index to the file `path` (UTF-8): at any moment there is the old file or the whole new one.
linjin_status linjin_save(const linjin_index *index,
                          const char *path);

// Lets go of an index; NULL is none.
void linjin_free(linjin_index *index);

// How many vectors there are; 0 for NULL.
size_t linjin_len(const linjin_index *index);

// Values in a vector; bits, for hamming; 0 for NULL.
size_t linjin_dim(const linjin_index *index);

// Whether there is a vector with this id; false, too, where the file under the index is damaged: `linjin_get` says that.
bool linjin_contains(const linjin_index *index,
                     uint64_t id);

// Adds `n` vectors of `dim` floats each, one behind the other. `ids` are `n` ids, or NULL for the numbers that follow the
// largest id there ever was; with `replace` a vector takes the place of the one that has its id. The ids go to `added`, `n` of
// them, unless that is NULL.
linjin_status linjin_add(const linjin_index *index,
                         const float *vectors,
                         size_t n,
                         const uint64_t *ids,
                         bool replace,
                         uint64_t *added);

// The same for hamming: `n` vectors of `(dim + 7) / 8` bytes each, bit `i` being bit `i % 8` of byte `i / 8`.
linjin_status linjin_add_bits(const linjin_index *index,
                              const uint8_t *vectors,
                              size_t n,
                              const uint64_t *ids,
                              bool replace,
                              uint64_t *added);

// Removes the vectors with these ids, all or none.
linjin_status linjin_remove(const linjin_index *index, const uint64_t *ids, size_t n);

// Copies the vector with this id to `vector`, `dim` floats.
linjin_status linjin_get(const linjin_index *index, uint64_t id, float *vector);

// Finds the closest vectors to each of `n` queries of `dim` floats. `ids` and `distances` have room for `n * k` each, `k` a
// query, closest first; behind the last hit of a query stand UINT64_MAX and infinity. `counts` takes how many hits each
// query has, `n` of them; `distances` and `counts` may be NULL.
linjin_status linjin_search(const linjin_index *index,
                            const float *queries,
                            size_t n,
                            const linjin_search_options *options,
                            uint64_t *ids,
                            float *distances,
                            size_t *counts);

// The same for hamming: queries of `(dim + 7) / 8` bytes each.
linjin_status linjin_search_bits(const linjin_index *index,
                                 const uint8_t *queries,
                                 size_t n,
                                 const linjin_search_options *options,
                                 uint64_t *ids,
                                 float *distances,
                                 size_t *counts);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LINJIN_H */
