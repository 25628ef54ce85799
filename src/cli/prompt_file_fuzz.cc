// Prompt files come from anywhere: every form of reading, and writing what was read.
#include "base/json.h"
#include "cli/prompt_file.h"

#include <cstdint>
#include <cstdlib>

#include <boost/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imprimatur;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto form : {cli::FileForm::prompt, cli::FileForm::plain, cli::FileForm::json}) {
    const auto read = cli::read_prompt(text, form, "name");
    if (!read.ok()) continue;
    // What was read survives the way to a server.
    const std::string written = boost::json::serialize(cli::to_json(*read));
    const auto again = cli::read_prompt(written, cli::FileForm::json, "name");
    const bool roomy = written.size() <= cli::kMaxPromptFileBytes;
    if (roomy && !(again.ok() && again->content == read->content && again->tags == read->tags)) std::abort();
  }
  return 0;
}
