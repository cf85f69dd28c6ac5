#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "policy/time_point.h"
#include "transport/dns/resolver.h"

namespace waxwing {

/// Remembers the answers of another resolver for as long as they may be, asks a question only once while it is in
/// flight, and keeps the number of questions in flight small. An answer from memory has the remaining time as its TTL.
class CachingResolver final : public Resolver {
 public:
  struct Options {
    std::size_t max_entries = 20'000;
    std::size_t max_octets = 64 * 1'024 * 1'024;  ///< of all entries; the longest unused go first
    std::size_t max_outstanding = 100;            ///< questions in flight; more wait for their turn
    std::size_t max_outstanding_per_domain = 20;  ///< of those, for names of one domain (sharing_domain())
    std::size_t max_waiting = 10'000;             ///< callers waiting; more get Failed with "too many lookups"
    std::size_t max_waiting_per_domain = 2'000;   ///< of those, for names of one domain
    Seconds min_ttl{5};                           ///< so that a TTL of 0 is no lever to make us ask without end
    Seconds max_ttl{86'400};
    Seconds max_negative_ttl{3'600};  ///< absence (RFC 2308 §5)
    Seconds bogus_ttl{30};            ///< RFC 4035 §4.7: cached, but briefly
    Seconds failed_ttl{5};            ///< absorbs storms of questions while a server is gone
  };
  /// Runs a task on the loop's thread in a later turn.
  using Post = std::function<void(std::function<void()>)>;

  /// @param inner  asked for what is not remembered; outlives this object
  CachingResolver(Resolver& inner, const Options& options, std::function<MonotonicTime()> now, Post post);
  ~CachingResolver() override;
  CachingResolver(const CachingResolver&) = delete;
  CachingResolver& operator=(const CachingResolver&) = delete;

  void resolve(const Question& question, OnAnswer on_answer) override;

  /// Forgets everything; what is in flight still gets its answer, which is not kept.
  void clear();

  /// Answers remembered, stale ones included.
  [[nodiscard]] std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace waxwing
