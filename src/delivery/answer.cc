#include "delivery/answer.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/json_slices.h"
#include "domain/content.h"
#include "domain/template.h"

#include <cstring>
#include <new>

#include <boost/json.hpp>

namespace imprimatur::delivery {
namespace {

constexpr std::string_view kTail = ",\"variant\":null,\"reason\":";
constexpr std::string_view kRelease = ",\"release\":";
constexpr std::size_t kDigestSize = 71;  // "sha256:" and 64 digits

// Strong: the body is a function of exactly these, and the digest covers everything the version says.
std::string etag_of(std::string_view digest, std::string_view environment, Reason reason,
                    std::string_view release) {
  Sha256 hash;
  hash.add("imprimatur-runtime-v1\n").add(digest).add("\n").add(environment).add("\n").add(name_of(reason));
  hash.add("\n").add(release);
  const Hash256 all = hash.finish();
  std::string etag = "\"" + to_base64url(bytes_of(all).substr(0, 16)) + "\"";
  CHECK(etag.size() == Answer::kEtagSize);
  return etag;
}

// Returns where the ETag begins.
std::size_t append_head(std::string& out, std::size_t body_size, std::string_view etag) {
  out.append("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ");
  out.append(std::to_string(body_size)).append("\r\nETag: ");
  const std::size_t at = out.size();
  out.append(etag).append("\r\nCache-Control: private, no-cache\r\n");
  return at;
}

struct Text {
  std::string bytes;
  std::size_t digest_at = 0, tail_at = 0;
};

Result<Text> make_body(const ServedVersion& version, std::string_view environment,
                       const JsonSlices& content) {
  Text body;
  std::string& out = body.bytes;
  out.reserve(version.content.size() + version.effective.size() + 400);
  bool complete = true;
  const auto member = [&](std::string_view name, std::string_view slice) {
    out.append(out.empty() ? "{\"" : ",\"").append(name).append("\":").append(slice);
    complete = complete && !slice.empty();
  };
  const auto text = [&](std::string_view name, std::string_view value) {
    member(name, "\"");  // the rest of the literal, quote included, follows
    out.pop_back();
    append_json_string(out, value);
  };
  member("name", content["name"]);
  member("version", std::to_string(version.number));
  member("semver", content["semver"]);
  text("digest", version.digest);
  body.digest_at = out.size() - 1 - version.digest.size();
  text("environment", environment);
  for (const char* name :
       {"type", "content", "messages", "variables", "model", "config", "tools", "outputSchema"}) {
    member(name, content[name]);
  }
  out.append(kTail);
  body.tail_at = out.size();
  append_json_string(out, name_of(Reason::live));
  out.append(kRelease);
  append_json_string(out, version.release.text);
  out.push_back('}');
  if (!complete) return invalid("the content of a version to serve lacks a member");
  return body;
}

}  // namespace

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::live: return "live";
    case Reason::version: return "version";
    case Reason::label: return "label";
  }
  CHECK(false, "unknown reason");
}

struct Answer::Parts {
  std::int64_t number;
  std::string_view name, semver, environment, digest, release;
  std::string_view body;
  std::size_t digest_at, tail_at;
  bool policy;
};

std::shared_ptr<const Answer> Answer::pack(const Parts& parts) {
  static_assert(std::is_trivially_destructible_v<Answer> && alignof(Answer) <= alignof(std::uint64_t));
  std::string head;
  const std::size_t etag_at = append_head(
      head, parts.body.size(), etag_of(parts.digest, parts.environment, Reason::live, parts.release));
  const std::initializer_list<std::string_view> texts{parts.name, parts.semver, head, parts.body};
  std::size_t size = sizeof(Answer);
  for (const std::string_view text : texts) size += text.size();
  const auto block = std::make_shared_for_overwrite<std::uint64_t[]>((size + 7) / 8);
  auto* answer = new (block.get()) Answer();
  answer->number_ = parts.number;
  answer->name_size_ = static_cast<std::uint32_t>(parts.name.size());
  answer->semver_size_ = static_cast<std::uint32_t>(parts.semver.size());
  answer->head_size_ = static_cast<std::uint32_t>(head.size());
  answer->body_size_ = static_cast<std::uint32_t>(parts.body.size());
  answer->etag_at_ = static_cast<std::uint32_t>(etag_at);
  answer->digest_at_ = static_cast<std::uint32_t>(parts.digest_at);
  answer->tail_at_ = static_cast<std::uint32_t>(parts.tail_at);
  answer->policy_ = parts.policy;
  char* at = reinterpret_cast<char*>(block.get()) + sizeof(Answer);
  for (const std::string_view text : texts) {
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  }
  return std::shared_ptr<const Answer>(block, answer);
}

Result<std::shared_ptr<const Answer>> Answer::make(const ServedVersion& version,
                                                   std::string_view environment) {
  const JsonSlices content =
      TRY(JsonSlices::of(version.effective.empty() ? version.content : version.effective));
  if (version.digest.size() != kDigestSize) return invalid("a version to serve has no digest");
  const Text body = TRY(make_body(version, environment, content));
  const std::string name = unquoted(content["name"]);
  const std::string semver = unquoted(content["semver"]);
  return pack({version.number, name, semver, environment, version.digest, version.release.text, body.bytes,
               body.digest_at, body.tail_at, content["kind"] == "\"policy\""});
}

std::shared_ptr<const Answer> Answer::with_release(const ReleaseId& release) const {
  std::string text(body().substr(0, release_at()));
  text.append(release.text).append("\"}");
  const std::string environment = unquoted((*JsonSlices::of(body()))["environment"]);
  return pack(
      {number_, name(), semver(), environment, digest(), release.text, text, digest_at_, tail_at_, policy_});
}

std::string_view Answer::digest() const { return body().substr(digest_at_, kDigestSize); }

std::size_t Answer::release_at() const {
  return tail_at_ + name_of(Reason::live).size() + 2 + kRelease.size() + 1;
}

std::string_view Answer::release() const {
  return body().substr(release_at(), body_size_ - 2 - release_at());
}

void append_answer(const Answer& answer, Reason reason, std::string& head, std::string& body,
                   std::string& etag) {
  const JsonSlices members = *JsonSlices::of(answer.body());
  const std::string own_etag =
      etag_of(answer.digest(), unquoted(members["environment"]), reason, answer.release());
  body.append(answer.body().substr(0, answer.tail_at_));
  append_json_string(body, name_of(reason));
  body.append(answer.body().substr(answer.tail_at_ + name_of(Reason::live).size() + 2));
  append_head(head, body.size(), own_etag);
  etag.append(own_etag);
}

void append_not_modified(std::string_view etag, std::string& head) {
  head.append("HTTP/1.1 304 Not Modified\r\nETag: ")
      .append(etag)
      .append("\r\nCache-Control: private, no-cache\r\n");
}

Result<std::string> rendered(const Answer& answer, Reason reason, const boost::json::object& variables) {
  const JsonSlices members = *JsonSlices::of(answer.body());
  // Everything the digest covers stands in the body, but for what render does not look at.
  std::string canonical = "{\"config\":null";
  const auto copy = [&](std::string_view name) {
    canonical.append(",\"").append(name).append("\":").append(members[name]);
  };
  copy("content");
  canonical.append(",\"kind\":").append(answer.policy_ ? "\"policy\"" : "\"prompt\"");
  canonical.append(",\"layers\":[],\"lock\":[]");
  copy("messages");
  canonical.append(",\"model\":null");
  copy("name");
  canonical.append(",\"outputSchema\":null");
  copy("semver");
  canonical.append(",\"tools\":null");
  copy("type");
  copy("variables");
  canonical.push_back('}');
  const Content content = TRY(content_from_canonical(canonical));
  const Rendered filled = TRY(render(content, variables));

  std::string out;
  out.reserve(answer.body().size() + filled.text.size());
  const auto append = [&](std::string_view name, std::string_view value) {
    out.append(out.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
  };
  for (const char* name : {"name", "version", "semver", "digest", "environment", "type"})
    append(name, members[name]);
  std::string value;
  if (content.type == ContentType::text) {
    append_json_string(value, filled.text);
    append("content", value);
    append("messages", "null");
  } else {
    value = "[";
    for (const Message& message : filled.messages) {
      value.append(value.size() > 1 ? ",{\"content\":" : "{\"content\":");
      append_json_string(value, message.content);
      value.append(",\"role\":");
      append_json_string(value, name_of(message.role));
      value.push_back('}');
    }
    value.push_back(']');
    append("content", "null");
    append("messages", value);
  }
  for (const char* name : {"variables", "model", "config", "tools", "outputSchema"})
    append(name, members[name]);
  out.append(kTail);
  append_json_string(out, name_of(reason));
  out.append(answer.body().substr(answer.tail_at_ + name_of(Reason::live).size() + 2));
  return out;
}

}  // namespace imprimatur::delivery
