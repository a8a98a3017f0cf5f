/* mlp_cl export: a model file for other tools. */
#include "command/command.h"
#include "terminal/output.h"
#include "terminal/report.h"

static struct poptOption result_options[] = {
    OPTION_VALUE("out", OPTION_OUT, "write the network to FILE (ONNX)", "FILE"),
    OPTION_FLAG("force", OPTION_FORCE, "let --out overwrite a file that exists"), POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Result", result_options), OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

static int export(const options *o) {
  mlp_cl_error error;
  const char *out = options_text(o, OPTION_OUT, NULL);
  if (!o->operand) return report_usage("which model? name a file that 'mlp_cl train --out FILE.safetensors' wrote");
  if (!out) return report_usage("where to? name the file to write: --out FILE.onnx");
  int status = output_check(o, OPTION_OUT);
  if (status != STATUS_OK) return status;
  if (mlp_cl_export_onnx(o->operand, out, &error) != MLP_CL_OK) return report_failure(&error);
  report_note("wrote %s", out);
  if (!report_is_json()) return STATUS_OK;
  json_t *object = report_object();
  json_object_set_new(object, "wrote", report_string(out));
  json_object_set_new(object, "format", json_string("onnx"));
  return report_json(object, STATUS_OK);
}

const command export_command = {
    .name = "export",
    .summary = "write a model file as ONNX",
    .operand = "MODEL.safetensors",
    .examples =
        "  mlp_cl export digits.safetensors --out digits.onnx\n"
        "  python -c 'import onnxruntime as o; print(o.InferenceSession(\"digits.onnx\").get_inputs()[0])'\n",
    .table = table,
    .run = export,
};
