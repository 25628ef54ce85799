#include "cli/prompt_sources.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLineBytes = kMaxPromptFileBytes + 1;

std::optional<SourceFile::Kind> kind_of(const fs::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".prompt") return SourceFile::Kind::prompt;
  if (extension == ".md" || extension == ".txt") return SourceFile::Kind::plain;
  if (extension == ".json") return SourceFile::Kind::json;
  if (extension == ".jsonl") return SourceFile::Kind::lines;
  return std::nullopt;
}

std::string name_below(const fs::path& folder, const fs::path& file) {
  fs::path relative = file.lexically_relative(folder);
  return relative.replace_extension().generic_string();
}

Status walk(const fs::path& folder, SourceList& out) {
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, fs::directory_options::none, failed), end;
  for (; !failed && at != end; at.increment(failed)) {
    const fs::path& path = at->path();
    const bool hidden = path.filename().string().starts_with('.');
    std::error_code ignored;
    if (at->is_symlink(ignored) || hidden || static_cast<std::size_t>(at.depth()) >= kMaxFolderDepth) {
      at.disable_recursion_pending();
      if (!hidden) out.ignored.push_back(path.string());
      continue;
    }
    if (!at->is_regular_file(ignored)) continue;
    const auto kind = kind_of(path);
    if (!kind) {
      out.ignored.push_back(path.string());
    } else {
      out.files.push_back({path.string(), name_below(folder, path), *kind});
    }
    if (out.files.size() > kMaxFiles) return too_large("more than " + std::to_string(kMaxFiles) + " files");
  }
  if (failed) return unavailable(folder.string() + ": " + failed.message());
  return Ok{};
}

Status each_line(const SourceFile& file, const std::function<void(Sourced)>& take) {
  std::ifstream input(file.path, std::ios::binary);
  std::string buffer(kMaxLineBytes, '\0');
  std::size_t number = 0;
  while (input.getline(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         (input.gcount() > 0 && !input.eof())) {
    const std::string at = file.path + ":" + std::to_string(++number);
    if (input.fail()) {  // the line did not fit: its rest is passed over
      input.clear();
      input.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
      take({at, "", too_large("the line is over " + std::to_string(kMaxPromptFileBytes) + " bytes")});
      continue;
    }
    const auto length = static_cast<std::size_t>(input.gcount()) - (input.eof() ? 0 : 1);
    const std::string_view line = std::string_view(buffer).substr(0, length);
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    Result<PromptFile> prompt = read_prompt(line, FileForm::json, "");
    if (prompt.ok() && prompt->content.name.empty()) prompt = invalid_field("name", "is missing");
    std::string name = prompt.ok() ? prompt->content.name : std::string();
    take({at, std::move(name), std::move(prompt)});
  }
  if (input.bad() || (number == 0 && !input.eof())) return unavailable("cannot read " + file.path);
  return Ok{};
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::ifstream input(path, std::ios::binary);
  if (!input) return unavailable("cannot open " + path + ": " + std::strerror(errno));
  std::string text(kMaxPromptFileBytes + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (input.bad()) return unavailable("cannot read " + path);
  if (!input.eof()) return too_large(path + " is over " + std::to_string(kMaxPromptFileBytes) + " bytes");
  text.resize(static_cast<std::size_t>(input.gcount()));
  return text;
}

Result<SourceList> list_sources(const std::vector<std::string>& paths) {
  SourceList out;
  for (const std::string& text : paths) {
    const fs::path path = fs::path(text).lexically_normal();
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    if (fs::is_directory(status)) {
      TRY(walk(path, out));
    } else if (fs::is_regular_file(status)) {
      out.files.push_back(
          {path.string(), path.stem().string(), kind_of(path).value_or(SourceFile::Kind::plain)});
    } else {
      return invalid("there is no file or folder " + text);
    }
  }
  std::sort(out.files.begin(), out.files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  std::sort(out.ignored.begin(), out.ignored.end());
  return out;
}

Status each_prompt(const SourceFile& file, const std::function<void(Sourced)>& take) {
  if (file.kind == SourceFile::Kind::lines) return each_line(file, take);
  const Result<std::string> text = read_file(file.path);
  if (!text.ok()) {
    take({file.path, file.name, text.error()});
    return Ok{};
  }
  FileForm form = FileForm::plain;
  if (file.kind == SourceFile::Kind::prompt) form = FileForm::prompt;
  if (file.kind == SourceFile::Kind::json) form = FileForm::json;
  Result<PromptFile> prompt = read_prompt(*text, form, file.name);
  std::string name = prompt.ok() ? prompt->content.name : file.name;
  take({file.path, std::move(name), std::move(prompt)});
  return Ok{};
}

}  // namespace imprimatur::cli
