// Matching, capturing and replacing.
(() => {
  const line = (i) => `2024-0${(i % 9) + 1}-1${i % 10} INFO worker-${i % 7}: took ${i}ms for /items/${i}?page=${i % 3}`
  const text = Array.from({ length: 1500 }, (_, i) => line(i)).join('\n')
  let sum = 0
  for (const match of text.matchAll(/^(\d{4})-(\d\d)-(\d\d) \w+ ([\w-]+): took (\d+)ms/gm)) sum += Number(match[5]) + match[4].length
  const links = text.replace(/\/items\/(\d+)\?page=(\d)/g, (_, item, page) => `<${page}:${item}>`)
  return sum + links.length + (text.match(/worker-[246]/g) ?? []).length
})()
