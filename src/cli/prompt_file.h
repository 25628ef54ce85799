// Prompts as people keep them in files: .prompt (YAML front matter and a body), .md and .txt (a body), .json
// (an object), and lines of JSONL.
#pragma once

#include "base/result.h"
#include "domain/content.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace imprimatur::cli {

inline constexpr std::size_t kMaxPromptFileBytes = 2 * 1024 * 1024;
inline constexpr std::size_t kMaxFrontMatterBytes = 64 * 1024;
inline constexpr std::size_t kMaxFrontMatterValues = 20'000;
inline constexpr std::size_t kMaxFrontMatterDepth = 32;

struct PromptFile {
  Content content;  // as it stands in the file: not checked, semver empty where the file names none
  std::vector<std::string> tags;
  std::string message;
  std::size_t body_line = 0;         // lines of the file before the body
  std::vector<std::string> ignored;  // keys that say nothing here, such as "license"
  bool fence_in_text = false;        // the text begins as front matter does, in a form that has none
};

enum class FileForm { prompt, plain, json };

// `name` is used where the file gives none. The body is kept byte for byte: in a .prompt file it begins
// behind the line feed of the closing "---".
Result<PromptFile> read_prompt(std::string_view text, FileForm form, std::string_view name);

// The fields of a prompt's creation in the contract, without `project`.
boost::json::object to_json(const PromptFile& prompt);

}  // namespace imprimatur::cli
