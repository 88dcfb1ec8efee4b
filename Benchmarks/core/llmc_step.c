// Times training steps of llm.c's GPT-2 124M with random weights for llmc.py, through its own functions:
//   gcc -Ofast -march=native -fopenmp -DOMP -I LLMC_DIR llmc_step.c && ./a.out CHECKPOINT BATCH CONTEXT STEPS
// CHECKPOINT gives the shape; its weights are replaced. Prints JSON in the last line.
#define TESTING
#include "train_gpt2.c"

static unsigned long long state = 88172645463325252ull;

static unsigned int chance(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned int)(state >> 32);
}

/// Gains of norms are 1, all else is uniform with the deviation of the other side's weights.
static void fill(GPT2 *model) {
  float *values = model->params_memory;
  float reach = sqrtf(3.0f / model->config.channels);
  for (int tensor = 0; tensor < NUM_PARAMETER_TENSORS; tensor++) {
    int is_gain = tensor == 2 || tensor == 8 || tensor == 14;
    for (size_t i = 0; i < model->param_sizes[tensor]; i++) {
      *values++ = is_gain ? 1.0f : reach * ((float)(chance() >> 8) / 8388608.0f - 1.0f);
    }
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static double peak_mib(void) {
  char line[256];
  long kibibytes = 0;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "VmHWM: %ld", &kibibytes) == 1) break;
  }
  if (file) fclose(file);
  return kibibytes / 1024.0;
}

int main(int count, char **words) {
  if (count != 5) return 2;
  int batch = atoi(words[2]), context = atoi(words[3]), steps = atoi(words[4]);
  GPT2 model;
  gpt2_build_from_checkpoint(&model, words[1]);
  fill(&model);
  int *tokens = malloc((batch * context + 1) * sizeof(int));
  for (int i = 0; i <= batch * context; i++) tokens[i] = 97 + chance() % 26;
  double *seconds = malloc(steps * sizeof(double));
  for (int step = 0; step < steps; step++) {
    double start = now();
    gpt2_forward(&model, tokens, tokens + 1, batch, context);
    gpt2_zero_grad(&model);
    gpt2_backward(&model);
    gpt2_update(&model, 1e-4f, 0.9f, 0.95f, 1e-8f, 0.1f, step + 1);
    seconds[step] = now() - start;
  }
  printf("\n{\"parameters\": %zu, \"tokens\": %d, \"loss\": %f, \"peak_mib\": %.1f, \"seconds\": [",
         (size_t)model.num_parameters, batch * context, model.mean_loss, peak_mib());
  for (int step = 0; step < steps; step++) printf(step ? ", %.6f" : "%.6f", seconds[step]);
  printf("]}\n");
  gpt2_free(&model);
  free(tokens);
  free(seconds);
}
