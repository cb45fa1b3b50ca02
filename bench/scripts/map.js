// Map and Set with text and number keys.
(() => {
  const counts = new Map()
  for (let i = 0; i < 60000; i++) {
    const key = 'k' + (i % 5000)
    counts.set(key, (counts.get(key) ?? 0) + i)
  }
  const seen = new Set()
  for (let i = 0; i < 60000; i++) seen.add((i * 7919) % 20011)
  let sum = seen.size
  for (const [key, count] of counts) sum += key.length + count
  return sum
})()
