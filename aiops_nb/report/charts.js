(() => {
  let attempts = 0;
  const draw = () => {
    const waiting = [...document.querySelectorAll("script.aiops-chart-data")].filter((data) => {
      const item = JSON.parse(data.textContent);
      const place = document.getElementById(item.target_id);
      if (!window.Bokeh || !place) return true;
      data.remove();
      place.replaceChildren();
      window.Bokeh.embed.embed_item(item);
      return false;
    });
    if (waiting.length && ++attempts < 200) setTimeout(draw, 50);
  };
  draw();
})();
