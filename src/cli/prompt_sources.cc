#include "cli/prompt_sources.h"

#include "cli/console.h"

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

// What cannot be listed is noted, and the rest is walked all the same.
Status walk(const fs::path& root, SourceList& out) {
  struct Folder {
    fs::path path;
    std::size_t depth;
  };
  std::vector<Folder> open{{root, 0}};
  while (!open.empty()) {
    const Folder folder = std::move(open.back());
    open.pop_back();
    std::error_code failed, ignored;
    fs::directory_iterator at(folder.path, failed), end;
    for (; !failed && at != end; at.increment(failed)) {
      const fs::path& path = at->path();
      if (path.filename().string().starts_with('.')) continue;
      const fs::file_status status = at->symlink_status(ignored);
      const auto kind = kind_of(path);
      if (fs::is_directory(status) && folder.depth < kMaxFolderDepth) {
        open.push_back({path, folder.depth + 1});
      } else if (fs::is_regular_file(status) && kind) {
        out.files.push_back({path.string(), name_below(root, path), *kind});
      } else if (fs::is_regular_file(status) || fs::is_symlink(status) || fs::is_directory(status)) {
        out.ignored.push_back(path.string());
      }
      if (out.files.size() > kMaxFiles) return too_large("more than " + std::to_string(kMaxFiles) + " files");
    }
    if (failed) out.unreadable.push_back({folder.path.string(), "cannot be listed: " + failed.message()});
  }
  return Ok{};
}

void each_line(const SourceFile& file, const std::function<void(Sourced)>& take) {
  std::ifstream input(file.path, std::ios::binary);
  std::string buffer(kMaxLineBytes, '\0');
  std::size_t number = 0;
  while (input.getline(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         (input.gcount() > 0 && !input.eof())) {
    ++number;
    if (input.fail()) {  // the line did not fit: its rest is passed over
      input.clear();
      input.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
      take({file.path, number, "",
            too_large("the line is over " + std::to_string(kMaxPromptFileBytes) + " bytes")});
      continue;
    }
    const auto length = static_cast<std::size_t>(input.gcount()) - (input.eof() ? 0 : 1);
    const std::string_view line = std::string_view(buffer).substr(0, length);
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    Result<PromptFile> prompt = read_prompt(line, FileForm::json, "");
    if (prompt.ok() && prompt->content.name.empty()) prompt = invalid_field("name", "is missing");
    std::string name = prompt.ok() ? prompt->content.name : std::string();
    take({file.path, number, std::move(name), std::move(prompt)});
  }
  if (input.bad() || (number == 0 && !input.eof())) take({file.path, 0, "", unavailable("cannot be read")});
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
  std::sort(out.unreadable.begin(), out.unreadable.end(),
            [](const Unreadable& a, const Unreadable& b) { return a.path < b.path; });
  return out;
}

Error nothing_found(const SourceList& sources) {
  std::string said = "there is no prompt in what was named";
  if (!sources.ignored.empty()) {
    said += "; passed over " + counted(sources.ignored.size(), "file") + " of other kinds, such as " +
            sources.ignored.front();
  }
  return invalid(said + "; prompts are .prompt, .md, .txt, .json and .jsonl files");
}

void each_prompt(const SourceFile& file, const std::function<void(Sourced)>& take) {
  if (file.kind == SourceFile::Kind::lines) return each_line(file, take);
  const Result<std::string> text = read_file(file.path);
  if (!text.ok()) return take({file.path, 0, file.name, text.error()});
  FileForm form = FileForm::plain;
  if (file.kind == SourceFile::Kind::prompt) form = FileForm::prompt;
  if (file.kind == SourceFile::Kind::json) form = FileForm::json;
  Result<PromptFile> prompt = read_prompt(*text, form, file.name);
  std::string name = prompt.ok() ? prompt->content.name : file.name;
  take({file.path, 0, std::move(name), std::move(prompt)});
}

}  // namespace imprimatur::cli
