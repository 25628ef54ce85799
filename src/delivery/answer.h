// One version as one environment answers it: the bytes of the response, made once.
#pragma once

#include "base/result.h"
#include "delivery/feed.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::delivery {

// How a version was chosen; spelled on the wire as here.
enum class Reason { live, version, label };
std::string_view name_of(Reason reason);

// One block of memory, immutable: this header, then the name, the semver, the head and the body. The body
// ends in
// `"variant":null,"reason":"live","release":"…"}`; the answers for other reasons are derived from it on
// demand.
class Answer {
 public:
  // Refuses content that is not canonical. `environment` is the environment's name.
  static Result<std::shared_ptr<const Answer>> make(const ServedVersion& version,
                                                    std::string_view environment);

  // The same version after it went live by another release.
  std::shared_ptr<const Answer> with_release(const ReleaseId& release) const;

  std::int64_t number() const { return number_; }
  std::string_view name() const { return {data(), name_size_}; }
  std::string_view semver() const { return {data() + name_size_, semver_size_}; }
  // Status line and fields of the answer while it is live, each with CR LF; without the blank line.
  std::string_view head() const { return {data() + name_size_ + semver_size_, head_size_}; }
  std::string_view body() const { return {head().data() + head_size_, body_size_}; }
  // With its quotes.
  std::string_view etag() const { return head().substr(etag_at_, kEtagSize); }
  std::string_view digest() const;
  std::string_view release() const;

  static constexpr std::size_t kEtagSize = 24;

 private:
  Answer() = default;
  const char* data() const { return reinterpret_cast<const char*>(this) + sizeof(Answer); }
  std::size_t release_at() const;  // in the body
  struct Parts;
  static std::shared_ptr<const Answer> pack(const Parts& parts);

  std::int64_t number_ = 0;
  std::uint32_t name_size_ = 0, semver_size_ = 0, head_size_ = 0, body_size_ = 0;
  std::uint32_t etag_at_ = 0;    // in the head
  std::uint32_t digest_at_ = 0;  // in the body
  std::uint32_t tail_at_ = 0;    // of `"live"` in the body
  bool policy_ = false;
  friend Result<std::string> rendered(const Answer&, Reason, const boost::json::object&);
  friend void append_answer(const Answer&, Reason, std::string&, std::string&, std::string&);
};

// The answer for a reason other than `live`: head, body and ETag, appended to strings that the caller reuses.
void append_answer(const Answer& answer, Reason reason, std::string& head, std::string& body,
                   std::string& etag);

// "HTTP/1.1 304 Not Modified" and its fields, each with CR LF.
void append_not_modified(std::string_view etag, std::string& head);

// The body with every variable filled in; see render() in domain/template.h for what is refused.
Result<std::string> rendered(const Answer& answer, Reason reason, const boost::json::object& variables);

}  // namespace imprimatur::delivery
