#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>

#include "policy/lookup.h"
#include "policy/time_point.h"

namespace waxwing {

/// Answers with an expiry, bounded in number and memory; the longest unused are forgotten first. Knows nothing of TTLs.
class AnswerCache {
 public:
  AnswerCache(std::size_t max_entries, std::size_t max_octets) : max_entries_(max_entries), max_octets_(max_octets) {}

  /// Returns the answer with the time that remains as its TTL; no value: unknown or expired.
  [[nodiscard]] std::optional<Answer> find(const Question& question, MonotonicTime now);

  /// Adds or replaces. An answer that alone is larger than the cache is not kept.
  void add(const Question& question, const Answer& answer, MonotonicTime expires);

  void clear();
  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    Question question;
    Answer answer;
    MonotonicTime expires;
    std::size_t octets;
  };
  void erase(std::list<Entry>::iterator entry);

  std::size_t max_entries_;
  std::size_t max_octets_;
  std::size_t octets_ = 0;
  std::list<Entry> entries_;  ///< the last used first
  std::map<Question, std::list<Entry>::iterator> index_;
};

}  // namespace waxwing
