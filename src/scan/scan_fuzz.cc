// Any bytes: as a text prompt, as a message of a chat, as tools. The first byte says which.
#include "base/check.h"
#include "scan/ruleset.h"
#include "scan/scan.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imprimatur::scan;
  static const Ruleset rules = Ruleset::built_in().value();
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  TemplateView view;
  switch (data[0] % 3) {
    case 0: view.parts = {{{}, text}}; break;
    case 1:
      view.form = TemplateForm::chat;
      view.parts = {{"system", text}, {"user", text.substr(0, text.size() / 2)}};
      break;
    default: view.parts = {{{}, "Use {{user_input}}."}}; view.tools_json = text;
  }
  const ScanReport report = scan(view, rules);
  CHECK(report.score >= 0 && report.score <= 100);
  for (const Finding& finding : report.findings) CHECK(finding.span.start <= finding.span.end);
  return 0;
}
