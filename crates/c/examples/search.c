// The nearest of some points in a plane: built, searched, changed, saved, opened again. Ends with 0 when all is as it should be.

#include <linjin.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

// Ends the program unless the call went well.
#define CHECK(call)                                                         \
    do {                                                                    \
        if ((call) != LINJIN_OK) {                                          \
            fprintf(stderr, "%s: %s\n", #call, linjin_last_error());        \
            return 1;                                                       \
        }                                                                   \
    } while (0)

// Ends the program unless this holds.
#define EXPECT(what)                                                        \
    do {                                                                    \
        if (!(what)) {                                                      \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #what);      \
            return 1;                                                       \
        }                                                                   \
    } while (0)

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "points.linjin";
    const float points[4][2] = {{0, 0}, {1, 0}, {5, 5}, {6, 5}};
    linjin_index *index = NULL;

    printf("linjin %s\n", linjin_version());
    CHECK(linjin_new(2, LINJIN_EUCLIDEAN, &index));
    uint64_t ids[4];
    CHECK(linjin_add(index, &points[0][0], 4, NULL, false, ids));
    EXPECT(linjin_len(index) == 4 && linjin_dim(index) == 2 && ids[3] == 3);

    // Two queries, two neighbours each.
    const float queries[2][2] = {{0.9f, 0}, {6, 6}};
    linjin_search_options options = linjin_search_defaults(2);
    uint64_t found[4];
    float distances[4];
    size_t counts[2];
    CHECK(linjin_search(index, &queries[0][0], 2, &options, found, distances, counts));
    for (int i = 0; i < 4; i++) {
        printf("query %d: id %llu at %.3f\n", i / 2, (unsigned long long)found[i], distances[i]);
    }
    EXPECT(found[0] == 1 && found[1] == 0 && found[2] == 3 && found[3] == 2);
    EXPECT(fabsf(distances[2] - 1.0f) < 1e-6f && counts[0] == 2);

    // Without some of them, and with fewer than were asked for.
    const uint64_t gone[3] = {0, 1, 2};
    options.exclude = gone;
    options.n_exclude = 3;
    options.exact = true;
    CHECK(linjin_search(index, &queries[0][0], 1, &options, found, distances, counts));
    EXPECT(counts[0] == 1 && found[0] == 3 && found[1] == UINT64_MAX && isinf(distances[1]));

    // Changes: found at once, gone at once.
    const float other[2] = {0.9f, 0.1f};
    const uint64_t number = 70;
    CHECK(linjin_add(index, other, 1, &number, false, NULL));
    CHECK(linjin_remove(index, ids, 2));
    float back[2];
    CHECK(linjin_get(index, 70, back));
    EXPECT(memcmp(back, other, sizeof back) == 0 && !linjin_contains(index, 0));

    // What cannot be done is said, and changes nothing.
    EXPECT(linjin_add(index, other, 1, &number, false, NULL) == LINJIN_INVALID);
    EXPECT(strstr(linjin_last_error(), "70") != NULL);
    EXPECT(linjin_remove(index, ids, 1) == LINJIN_UNKNOWN_ID);
    const float wrong[2] = {NAN, 0};
    EXPECT(linjin_add(index, wrong, 1, NULL, false, NULL) == LINJIN_INVALID);
    EXPECT(linjin_search(index, NULL, 1, &options, found, NULL, NULL) == LINJIN_INVALID);
    EXPECT(linjin_search(index, other, (size_t)-1, &options, found, NULL, NULL) == LINJIN_INVALID);
    EXPECT(linjin_new(0, LINJIN_DOT, &index) == LINJIN_INVALID && linjin_new(2, LINJIN_DOT, NULL) == LINJIN_INVALID);
    EXPECT(linjin_new(2, 99, &index) == LINJIN_INVALID);
    EXPECT(linjin_len(NULL) == 0 && linjin_save(NULL, path) == LINJIN_INVALID);
    EXPECT(linjin_len(index) == 3);

    // A file, opened again.
    CHECK(linjin_save(index, path));
    linjin_index *again = NULL;
    CHECK(linjin_open(path, &again));
    EXPECT(linjin_len(again) == 3 && linjin_contains(again, 70));
    EXPECT(linjin_open("/nowhere/at/all", &again) == LINJIN_IO);
    EXPECT(linjin_open(argv[0], &again) == LINJIN_FILE); // this program is no index
    linjin_free(again);
    linjin_free(index);
    linjin_free(NULL);

    // Bits: the share of those that differ.
    const uint8_t bits[2][2] = {{0x0f, 0x00}, {0xff, 0x03}};
    CHECK(linjin_new(10, LINJIN_HAMMING, &index));
    CHECK(linjin_add_bits(index, &bits[0][0], 2, NULL, false, NULL));
    options = linjin_search_defaults(1);
    CHECK(linjin_search_bits(index, bits[1], 1, &options, found, distances, NULL));
    EXPECT(found[0] == 1 && distances[0] == 0);
    EXPECT(linjin_get(index, 0, back) == LINJIN_INVALID);
    linjin_free(index);
    puts("ok");
    return 0;
}
