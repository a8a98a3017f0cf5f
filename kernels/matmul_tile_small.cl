/* A program of its own: the kernels of matmul_tile.cl in another size, for results of few tiles (dense_forward_small,
 * and so on). */
#if defined(SMALL_GROUP_ROWS)
#undef GROUP_ROWS
#undef GROUP_COLS
#undef ITEM_ROWS
#undef ITEM_COLS
#undef PARTS
#define GROUP_ROWS SMALL_GROUP_ROWS
#define GROUP_COLS SMALL_GROUP_COLS
#define ITEM_ROWS SMALL_ITEM_ROWS
#define ITEM_COLS SMALL_ITEM_COLS
#define PARTS SMALL_PARTS
#endif
#define NAME_OF_SMALL(name) name##_small
#define TILE_KERNEL(name) NAME_OF_SMALL(name)
#include "matmul_tile.cl"
