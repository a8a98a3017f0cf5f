# shellcheck shell=bash
# The mutations, for run.sh: a name, edits of files by sed -E, and the test that has to turn red.

# ---- Arithmetic ----

mutation 'fma becomes a·b + c in the reference'
edit host/reference/rows.h 's/fmaf\(x, b\[j\], acc\[j\]\)/x * b[j] + acc[j]/'
caught_by golden reference

mutation 'fmaf becomes the double fma'
edit kernels/exact_math.h 's/^(#define EXACT_FMA.* )fmaf\((.*)$/\1(float)fma(\2/'
caught_by exact_math reference

mutation 'fma becomes a·b + c in a kernel, contraction off'
edit kernels/matmul_panel_body.h 's/fma\((\(line\)\(x\[r \* PANEL\]\)), (column\[p\]), (sum\[p\]\[r\])\)/\1 * \2 + \3/'
caught_by operations pocl

mutation 'fma becomes a·b + c in a kernel, contraction left to the driver'
edit kernels/exact_math.h '/FP_CONTRACT/d'
edit kernels/matmul.cl 's/fma\((a\[.*\]), (b\[.*\]), sum\)/\1 * \2 + sum/'
caught_by golden rusticl

mutation 'built-in exp'
edit kernels/softmax.h 's/exact_exp\(/exp(/'
caught_by operations pocl

mutation 'nine rounds of Philox'
edit kernels/philox.h 's/round < 10/round < 9/'
caught_by philox reference

mutation 'no last correction of a square root'
edit kernels/exact_math_body.h 's/return EXACT_FMA\(EXACT_FMA\(-g, g, m\), h, g\)/return g/'
caught_by exact_math reference

mutation 'no exception for the one reciprocal at a tie'
edit kernels/exact_math_body.h 's/return \(bits & 0x007fffffu\).*: y;/return y;/'
caught_by exact_math reference

mutation 'a quotient of the device is rounded twice'
edit kernels/exact_math_body.h 's!return a / b;!return a * (1.0f / b);!'
caught_by adam pocl

mutation 'a reciprocal of the device is off by a place'
edit kernels/exact_math_body.h 's!return 1\.0f / b;!return (1.0f / b) * 1.0000001f;!'
caught_by activation pocl

mutation 'a root of the device is off by a place'
edit kernels/exact_math_body.h 's!: sqrt\(x\);!: x * (1.0f / sqrt(x));!'
caught_by adam pocl

# ---- Orders of sums ----

mutation 'a block is summed in descending order'
edit host/reference/feature_sums.c 's/t->listed\[listed\] = l;/t->listed[listed] = (uint32_t)(count - 1) - l;/; s/bits\[l\] != 0/bits[count - 1 - l] != 0/; s/width, l, &o/width, t->count - 1 - l, \&o/'
caught_by golden reference

mutation "a tile's rows leave out terms that are 0 in the first"
edit host/reference/feature_sums.c 's/skip_zeros && r < rows/skip_zeros \&\& r < 1/'
caught_by feature_sums reference

mutation 'weights that are written keep their panels'
edit host/reference/reference.c '/static mlp_cl_status tensor_write/,/^}/ s/->packed = false/->packed \&= true/'
caught_by predict pocl

mutation 'a kernel sums a block in descending order'
edit kernels/matmul.cl 's/for \(int i = begin; i < min\((.*)\); i\+\+\)/for (int i = min(\1) - 1; i >= begin; i--)/'
caught_by golden pocl plain

mutation 'blocks of 128'
edit host/reference/operations.h 's/FEATURE_BLOCK = 256/FEATURE_BLOCK = 128/'
caught_by operations pocl

mutation 'a single row is summed without blocks'
edit kernels/matmul_panel.h 's/panels, begin, (min\(depth, begin \+ BLOCK_FEATURES\), sum)/panels, 0, \1/; s/begin != 0 \? load_line\(total, at\) \+ sum\[p\] : sum\[p\]/sum[p]/'
caught_by operations pocl panel

mutation 'a single column is summed without blocks'
edit kernels/matmul_panel.h 's/sum\[i\] = \(line\)\(0\.0f\);/sum[i] = begin == 0 ? (line)(0.0f) : total[i];/; s/begin != 0 \? total\[i\] \+ sum\[i\] : //'
caught_by operations pocl panel

mutation 'a single column loses the end of a ragged depth'
edit kernels/matmul_panel.h 's/for \(; k < count; k\+\+\)/for (; k + 1 < count; k++)/'
caught_by operations pocl panel

mutation 'leaves of 128 rows'
edit host/reference/operations.h 's/BATCH_LEAF = 256/BATCH_LEAF = 128/'
caught_by golden reference

mutation 'leaves are added in ascending order'
edit host/reference/batch_sums.c 's/for \(size_t t = leaf; t % 2 == 1; t \/= 2, height--\)/for (; height > 1; height--)/'
caught_by reference reference

mutation 'a kernel adds leaves in ascending order'
edit kernels/batch_sum.h 's/for \(; \(\(leaf >> level\) \& 1\) != 0; level\+\+\)/for (; level < (leaf > 0); level++)/'
edit kernels/batch_sum.h 's/^( *)pending\[level\] = value;/\1pending[0] = value;/'
edit kernels/batch_sum.h 's/while \(\(\(leaves >> level\) \& 1\) == 0\) level\+\+;/return pending[0];/'
caught_by operations pocl

mutation 'a single row adds leaves in ascending order'
edit kernels/dense.h 's/tree_add\(pending\[p\], leaf, sum\[p\]\)/pending[p][0] = leaf > 0 ? pending[p][0] + sum[p] : sum[p]/; s/tree_total\(pending\[p\], leaves\)/pending[p][0]/'
caught_by operations pocl panel

mutation 'lanes are added one by one'
edit host/reference/softmax.c 's/for \(size_t apart = LANES \/ 2; apart > 0; apart \/= 2\)/for (size_t apart = 1, l = 0; apart < LANES; apart++) lanes[l] += lanes[apart];/'
edit host/reference/softmax.c '/for \(size_t l = 0; l < apart; l\+\+\)/d'
caught_by golden reference

mutation 'the bias is added before the sum'
edit host/reference/operations.h 's/^void feature_product/extern const float *early_bias;\n&/'
edit host/reference/feature_sums.c 's/^static HOT void feature_sums/const float *early_bias;\n&/; s/^  terms t\[GROUPS_MOST\];/&\n  for (size_t i = 0; i < groups * rows * n; i++)\n    o.c[i \/ n * o.c_stride + i % n] = early_bias != NULL ? early_bias[i % n] : 0;/; s/first > 0/true/'
edit host/reference/dense.c 's/^  feature_product_run\(help/  early_bias = d->bias != NULL ? floats_of(d->bias) : NULL;\n&/; s/^ +\.user = d\}\);/&\n  early_bias = NULL;/; /add_bias\(cols/d'
caught_by golden reference

# ---- Stores ----

mutation 'the sum meets the bias without a canonical store'
edit kernels/dense.h 's/canonical\((load_line\(column, \(size_t\)\(row \+ r\) \* PANEL\)), FLOOR_VALUE\)/\1/'
caught_by operations pocl

mutation 'weights are stored as they come'
edit kernels/sgd.h 's/return canonical\((fma\(.*weight\)), FLOOR_VALUE\)/return \1/'
caught_by operations pocl

mutation 'small weights feel gradients below the floor'
edit kernels/sgd.h 's/learning_rate \* 0x1p-22f/learning_rate * 0x1p-60f/'
caught_by operations pocl

mutation 'infinite weights count as far from 0'
edit kernels/sgd.h 's/below\(beyond, INFINITY_BITS - far\)/below(beyond, UINT_MAX - far)/'
caught_by training pocl

mutation 'velocities are stored as they come'
edit kernels/sgd.h 's/REAL v = canonical\((fma\(.*, g\)), FLOOR_GRADIENT\);/REAL v = \1;/'
caught_by operations pocl

mutation 'the floor of gradients is 2^-49'
edit kernels/exact_math.h 's/0x1p-50f/0x1p-49f/'
caught_by golden reference

# ---- Edges and barriers ----

mutation 'the last feature of a ragged block is left out'
edit kernels/matmul_panel_body.h 's/i < end - k; i/i < end - k - 1; i/'
caught_by operations pocl

mutation 'a leaf takes one row too many'
edit kernels/dense.h 's/min\(rows, begin \+ LEAF_ROWS\)/min(rows, begin + LEAF_ROWS + 1)/'
caught_by golden pocl panel

mutation 'a tile stops one column early'
edit kernels/matmul_tile.cl 's/if \(row >= rows \|\| col >= out\)/if (row >= rows || col >= out - 1)/'
caught_by golden pocl tile

mutation 'no barrier before a slab is read'
edit kernels/matmul_tile.h '/pipeline_deposit\(p, 0\);/{n;/barrier/d}'
# PoCL puts barriers before loops by itself; Oclgrind is slow, and one shape of the self-test's is enough for it.
edit host/context/self_test.c 's/(trial_shape shapes\[\] = ).*/\1{{5, 19, 18}};/'
caught_by golden oclgrind tile

mutation 'no barrier before a slab is overwritten'
edit kernels/matmul_tile.h '/pipeline_deposit\(p, p->current\);/{n;/barrier/d}'
# PoCL puts barriers into loops by itself; Oclgrind is slow, and one shape of the self-test's is enough for it.
edit host/context/self_test.c 's/(trial_shape shapes\[\] = ).*/\1{{5, 19, 18}};/'
caught_by golden oclgrind tile

mutation 'the parts of a work-group add their blocks to the wrong total'
edit kernels/matmul_tile.h 's/begin \+ block == 0 \? term/block == 0 ? term/'
caught_by golden pocl small

mutation 'a part does not wait for the sums of the others'
edit kernels/matmul_tile.h '/ITEM_QUADS; q\+\+\) sums/{n;/barrier/d}'
caught_by golden pocl small

mutation 'a part of the output layer is left out'
edit kernels/output_layer.cl 's/min\(OUTPUT_PARTS, blocks\)/min(OUTPUT_PARTS - 1, blocks)/'
caught_by operations pocl tile

mutation 'the output layer does not wait for its logits'
edit kernels/output_layer.cl '/^  barrier\(CLK_GLOBAL_MEM_FENCE\);/{N;/cross_entropy_batch/s/^[^\n]*\n//}'
edit host/context/self_test.c 's/(trial_shape shapes\[\] = ).*/\1{{5, 19, 18}};/'
caught_by golden oclgrind tile

mutation 'the way back does not wait for the gradient of the logits'
edit kernels/output_layer.cl '/has_below\) return;/{n;/barrier/d}'
edit host/context/self_test.c 's/(trial_shape shapes\[\] = ).*/\1{{5, 19, 18}};/'
caught_by golden oclgrind tile

mutation 'the weights of all layers are those of the first'
edit kernels/matmul_tile.cl 's/l = WEIGHT_LAYER_FROM_PARAMETERS\(n\)/l = WEIGHT_LAYER_FROM_PARAMETERS(0)/'
caught_by operations pocl tile

mutation 'the rows gathered ahead are those of the same step'
edit host/network/step.c 's/gather_of_batch\(plan, next, left->end, /gather_of_batch(plan, left->first, left->end, /'
caught_by golden pocl tile

mutation 'a phase of the one work-group ends without a barrier'
edit kernels/train_steps_group.cl '/^    loss\(&j/{n;/END_OF_PHASE/d}'
edit host/context/self_test.c 's/(trial_shape shapes\[\] = ).*/\1{{5, 19, 18}};/'
caught_by golden oclgrind group

mutation 'a phase of whole steps does not wait for the one before'
edit kernels/train_steps.cl 's/while \(w->workers > 1 && p\.waits && \*progress < end_of_phase\).*/;/'
caught_by golden pocl

# ---- Network and recipe ----

mutation 'kept values are not scaled'
edit kernels/dropout.h 's/x \* m->scale/x/'
caught_by operations pocl

mutation 'the mask depends on the work-item'
edit kernels/dropout.h 's/\(m->first_row \+ \(ulong\)row\) \* quads/(m->first_row + (ulong)row + (ulong)get_global_id(0)) * quads/'
caught_by dropout pocl

mutation 'masks are the same in each epoch'
edit host/training/trainer.c 's/\.step = \(uint32_t\)t->step/.step = (uint32_t)in_epoch/'
caught_by golden reference

mutation 'the weight is updated before the gradient of its input'
edit host/network/step.c '/^  for \(size_t i = end; i-- > 1;\)/{h;d}; /^  TRY\(backward_weights\(/G'
caught_by golden reference

mutation 'the derivative of ReLU is 1 at 0'
edit kernels/relu.h 's/y > \(line\)/y >= (line)/'
caught_by operations pocl

mutation 'softmax without the maximum'
edit kernels/softmax.h 's/exact_exp\(x - \(line\)\(maximum\)\)/exact_exp(x)/'
caught_by golden pocl plain

mutation 'ties take the last index'
edit host/reference/cross_entropy.c 's/if \(x\[j\] == max\) return j;/if (x[count - 1 - j] == max) return count - 1 - j;/'
caught_by operations reference

mutation 'a ragged batch is averaged over the full one'
edit host/network/step.c 's/loss_scale\(plan->task, plan->mean, s->rows/loss_scale(plan->task, plan->mean, plan->batch/'
caught_by golden reference

mutation 'no weight decay'
edit kernels/sgd.h '/rule->weight_decay != 0/s/if \(.*FLOOR_GRADIENT\);/;/'
caught_by operations pocl

mutation 'Nesterov is ignored'
edit kernels/sgd.h 's/rule->nesterov \?/0 ?/'
caught_by operations pocl

mutation 'shuffles forget the epoch'
edit host/training/shuffle.c 's/words\[2\] = epoch/words[2] = 0/'
caught_by golden reference

mutation 'a warm-up begins at 0'
edit host/training/schedule.c 's/\(step \+ 1\)/step/'
caught_by golden reference

# ---- Adam, clipping, activations, other losses ----

mutation 'the bias of moments is corrected for the next step'
edit host/network/step.c 's/\(uint64_t\)number \+ 1/(uint64_t)number + 2/'
caught_by golden reference

mutation 'moments are stored as they come'
edit kernels/adam.h 's/m = canonical\((fma\(.*, m\)), FLOOR_GRADIENT\)/m = \1/'
caught_by adam pocl

mutation 'AdamW decays its gradient too'
edit kernels/adam.h 's/ \&\& !rule->decoupled//'
caught_by adam pocl

mutation 'kernels for GPUs forget the mean squares'
edit kernels/quad.h '/if \(with_rms\) \*\(global/d'
caught_by golden pocl tile

mutation 'all steps of a launch have the rates of its first'
edit kernels/train_steps.h 's/(&j->r(ates|oots)\))\[s->number\]/\1[0]/'
caught_by context pocl

mutation 'whole steps drop what another layer drops'
edit kernels/train_steps.cl '/void activation_backward/,/^}/s/mask_of_layer\(j, s, i, /mask_of_layer(j, s, i + 1, /'
caught_by context pocl

mutation 'a work-group takes slopes of what the layer gave'
edit kernels/train_steps_group.cl 's/(under->)z( \+ element_index\(under->)z_stride/\1y\2y_stride/'
caught_by context pocl group

mutation 'Adam divides large numbers as if they were usual'
edit kernels/adam.h 's/0x5d800000u/0x7f800000u/'
caught_by adam pocl tile

mutation 'gradients below the limit are scaled up'
edit kernels/clip.cl '/factor < 1\.0f/d'
caught_by clip pocl

mutation 'the norm leaves out biases'
edit host/network/step.c '/const tensor \*gradient/s/i % 2 == 0 \? layer->d_weight : layer->d_bias/i % 2 == 0 ? layer->d_weight : NULL/'
caught_by clip reference

mutation 'clipping adds its sums backwards'
edit kernels/clip.cl 's/for \(int i = 0; i < count; i\+\+\) total/for (int i = count - 1; i >= 0; i--) total/'
caught_by clip pocl

mutation 'squares are summed in one go'
edit kernels/clip.cl 's/\bBLOCK_FEATURES\b/(1 << 20)/'
caught_by clip pocl

mutation 'tanh of small values by the formula for large ones'
edit kernels/activation.h 's/\? near : far/? far : far/'
caught_by activation reference

mutation 'what an activation dropped has a gradient'
edit kernels/activation_lines.h '/mask_apply\(m, words, d\)/d'
caught_by activation pocl

mutation 'a smoothed label keeps its whole share'
edit kernels/label_terms.cl 's/\(line\)\(on\)/(line)(1.0f)/'
caught_by target_loss pocl

mutation 'class weights do not reach the gradient'
edit kernels/label_terms.cl 's/weight \* scale/scale/'
caught_by target_loss pocl

mutation 'targets are taken in file order'
edit kernels/target_loss.h 's/b->ordered \? \(ulong\)b->order\[from\] : from/from/'
caught_by target_loss pocl

mutation 'labels behind the last one are counted'
edit kernels/target_loss.h 's/loss \+= inside \? part : zero/loss += part/'
caught_by target_loss pocl

mutation 'scaled integers are never below the floor'
edit kernels/gather.h 's/IS_INTEGER && scale >= FLOOR_VALUE/IS_INTEGER/'
caught_by operations pocl

mutation 'a parameter that is not finite goes unnoticed'
edit kernels/sgd.h 's/\*largest = max\(\*largest, magnitude\(weight\)\);//'
caught_by operations pocl

# ---- Streams and checkpoints ----

mutation 'a streamed batch is read from the start of its chunk'
edit host/network/step.c 's/first - plan->streamed_first/0/'
caught_by training pocl

mutation 'a resumed run forgets its velocities'
edit host/training/checkpoint_resume.c '/TRY\(set_states/d'
caught_by checkpoint reference

mutation 'a resumed run begins its epochs anew'
edit host/training/checkpoint_resume.c 's/t->step = s->step;/t->step = 0;/'
caught_by checkpoint reference

mutation 'epochs are added to a falling learning rate'
edit host/training/checkpoint_resume.c 's/t->recipe\.schedule != MLP_CL_COSINE && //'
caught_by refused_checkpoint reference

# ---- Verified steps, whole steps ----

mutation 'the twin of a verified step starts from its own weights'
edit host/training/verify.c '/tensor_write\(to, kept_tensor/d'
caught_by verify reference

mutation 'a verified step compares the first layer alone'
edit host/training/verify.c '/static mlp_cl_status compare/,/^}/s/layer < t->plan.layers_count/layer < 1/'
caught_by verify reference

mutation 'a wait trusts that a driver waits for what it was sent'
edit host/opencl/pace.c 's/"rusticl"\) != NULL/"rusticl") == NULL/'
caught_by context rusticl

mutation 'the halves of a step drop other values'
edit host/training/learner.c 's/step_backward\(on, &l->plan, rows, l->step,/step_backward(on, \&l->plan, rows, l->step + 1,/'
caught_by learner reference

mutation 'a learner takes all its steps as the first'
edit host/training/learner.c 's/\.step = l->step/.step = 0/'
caught_by learner reference

mutation 'the gradient of the features is that of updated weights'
edit host/network/step.c '/if \(d_x != NULL\) TRY/d; s/^  TRY\(backward_weights\(s, error\)\);/&\n  if (d_x != NULL) TRY(s->on->op->dense_backward_input(s->on, \&d, error));/'
caught_by learner reference

mutation 'whole steps that go by rows leave out a gradient'
edit kernels/train_steps.cl 's/i >= max\(1, j->by_rows\)/i > max(1, j->by_rows)/'
caught_by context pocl

mutation 'whole steps forget the order of rows'
edit kernels/train_steps.h 's/return j->ordered \? j->order\[position\] : position;/return position;/'
caught_by golden pocl steps

mutation 'whole steps draw the same masks'
edit kernels/train_steps.h 's/(m->step = j->first_step) \+ \(uint\)s->number/\1/'
caught_by context pocl

mutation 'whole steps average a ragged batch over the full one'
edit kernels/train_steps.h 's/s->rows == j->batch \? j->loss_scale : j->last_loss_scale/j->loss_scale/'
caught_by context pocl

mutation 'rows of another epoch are taken from a stream'
edit host/training/trainer.c 's/  row_feed_rewind\(&t->feed\);//'
caught_by training reference

mutation 'the best epoch is forgotten after many'
edit host/training/history.c 's/history_best\(h\) == 0 && (.*) \? 1 : 0/0/'
caught_by schedule reference

mutation 'the checkpoint of another run is overwritten'
edit host/training/checkpoint_writer.c 's/return !now\.exists \|\|/return true || !now.exists ||/'
caught_by checkpoint reference

mutation 'the targets of arrays are not scaled'
edit host/data/array_scale.c 's/i < train->width \|\| scale_targets/i < train->width/'
caught_by table reference

mutation 'a text that the model does not know counts as missing'
edit host/data/field.c 's/\(missing && column->kind/(column->kind/'
caught_by rows reference

mutation 'a torn file can be read on'
edit host/data/rows.c 's/r->passable = false;//'
caught_by rows reference

mutation 'what is kept of a row goes to the one before'
edit host/data/kept.c 's/\[kept->rows \* kept->count \+ i\] = kept->used/[(kept->rows > 0 ? kept->rows - 1 : 0) * kept->count + i] = kept->used/'
caught_by rows reference

mutation 'other rows pass for those of the training'
edit host/data/parts.c 's/return strcmp\(sha256, wanted\) == 0/return true/'
caught_by split reference

mutation 'rows that were held out may have changed'
edit host/data/parts.c 's/dataset_sha256\(parts->test, split\.test_sha256\)/split.test_sha256[0] = 0/'
caught_by split reference

mutation 'parts are drawn again under another seed'
edit host/model_file/model_split.c 's/PRIu64, split->seed\)/PRIu64, split->seed + 1)/'
caught_by split reference

mutation 'a first line of words is always a heading'
edit host/data/rows.c '/first_is_row\(r\)\) heading = false/d'
caught_by rows reference

mutation 'passes have one place for their answers'
edit host/network/predict.c 's/forward\.answers\[i\]/forward.answers[0]/'
caught_by predict pocl

mutation 'rows of a pass are counted from its first'
edit host/network/network.c 's/first \+ i \/ width/i \/ width/'
caught_by predict reference

mutation 'whole steps turn outputs instead of their gradients'
edit kernels/train_steps.cl 's/transpose_block\(l->d_y, l->d_y_stride, block/transpose_block(l->y, l->y_stride, block/'
caught_by context pocl

mutation 'a list of terms lacks the last of four'
edit kernels/find_terms.h 's/popcount\(set\)/popcount(set \& 7)/'
caught_by operations pocl

mutation 'of 32 features the last 16 have no terms'
edit kernels/find_terms.h 's/min\(2, PANELS\(all - k\)\)/1/'
caught_by operations pocl

mutation 'a leaf lists the terms of the first'
edit kernels/dense.h 's/found \+ leaf \* tiles \+/found +/'
caught_by operations pocl

mutation 'whole steps keep the lists of the first'
edit kernels/train_steps.cl 's/w->listed == product/w->listed >= 0/'
caught_by context pocl

mutation 'gradients of data skip zeros without a bias'
edit kernels/dense.h 's/TERMS_OF_TILES && bias != 0 &&/TERMS_OF_TILES \&\&/'
caught_by traps pocl

mutation 'all rows of a block take the terms of the first ones'
edit kernels/matmul_panel.h 's/found \+ \(row - c->row\)/found/'
caught_by operations pocl

mutation 'each slab of a row begins with its first term'
edit kernels/matmul_panel_body.h 's/slab > 0 \? found\[r\].end\[slab - 1\] : 0/0/'
caught_by operations pocl

mutation 'what goes on to the layer below has no mask'
edit kernels/dense.h 's/^  if \(g->keep_transpose\)/  if (g->keep_transpose \&\& !g->with_y)/'
caught_by operations pocl

mutation 'what few outputs give the layer below stays unturned for the first rows'
edit kernels/dense.h 's/(across = c->panel)(.*inputs_keep)/\1 + 1\2/'
caught_by operations pocl

mutation 'the last piece of a launch is dealt to nobody'
edit kernels/matmul_panel.cl 's/piece >= d->pieces/piece + 1 >= d->pieces/'
caught_by operations pocl

mutation 'a launch leaves its count behind'
edit kernels/matmul_panel.cl 's/\*d->dealt = 0/(void)0/'
caught_by operations pocl

mutation 'a column takes the terms of its first leaf'
edit kernels/dense.h 's/\* leaves \+ leaf\) \* PANEL/* leaves) * PANEL/'
caught_by operations pocl

mutation 'sums of columns are not turned'
edit kernels/dense.h 's/transpose_lines\(turned\);//'
caught_by operations pocl

mutation 'updates skip zeros without a look at the layer below'
edit kernels/dense.h 's/if \(store \|\| c->panel == 0\)/if (store)/'
caught_by traps pocl

mutation 'stored gradients skip zeros without a look at the layer below'
edit kernels/dense.h 's/if \(store && !below\(most, INFINITY_BITS\)\) return false;//'
caught_by traps pocl

mutation 'a diverging run counts as a fault'
edit host/training/verify.c 's/both_diverged\(t, v->twin\) \?/false ?/'
caught_by verify pocl
