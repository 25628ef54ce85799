// The prompts under the paths that somebody named, one after another, with their names from the paths.
#pragma once

#include "base/result.h"
#include "cli/prompt_file.h"

#include <functional>
#include <string>
#include <vector>

namespace imprimatur::cli {

inline constexpr std::size_t kMaxFiles = 1'000'000;
inline constexpr std::size_t kMaxFolderDepth = 64;

// Where a prompt stands, before it is read.
struct SourceFile {
  std::string path;  // as it is opened; not necessarily UTF-8
  std::string name;  // of the prompt: the path below the folder named, without its extension
  enum class Kind { prompt, plain, json, lines } kind = Kind::plain;
};

struct Unreadable {
  std::string path, why;
};

struct SourceList {
  std::vector<SourceFile> files;       // in order of their paths
  std::vector<std::string> ignored;    // files of other kinds
  std::vector<Unreadable> unreadable;  // folders
};

// Folders are walked without following symbolic links and without hidden entries; a file that is named itself
// is taken whatever it is called. An error when a path is not there.
Result<SourceList> list_sources(const std::vector<std::string>& paths);

// What to say where nothing was found: with what was passed over.
Error nothing_found(const SourceList& sources);

// One prompt, or why it cannot be one.
struct Sourced {
  std::string path;
  std::size_t line = 0;  // of JSONL
  std::string name;
  Result<PromptFile> prompt;

  // The path, with ":<line>" for a line of JSONL.
  std::string place() const { return line == 0 ? path : path + ":" + std::to_string(line); }
};
// Every prompt of the file; one refusal when the file cannot be read.
void each_prompt(const SourceFile& file, const std::function<void(Sourced)>& take);

// At most kMaxPromptFileBytes.
Result<std::string> read_file(const std::string& path);

}  // namespace imprimatur::cli
